# One image; the role is its argument: api, worker, dashboard or simulator.
#   docker build -t millrace .
#   docker run --rm -e REDIS_URL=… -e OPENAI_API_KEY=… -e MILLRACE_API_KEYS=… millrace worker
FROM node:24-bookworm-slim AS install
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY apps/api/package.json apps/api/
COPY apps/cli/package.json apps/cli/
COPY apps/dashboard/package.json apps/dashboard/
COPY apps/worker/package.json apps/worker/
COPY packages/core/package.json packages/core/
COPY packages/files/package.json packages/files/
COPY packages/queue/package.json packages/queue/
COPY packages/simulator/package.json packages/simulator/
COPY packages/upstream/package.json packages/upstream/
COPY examples/package.json examples/
COPY test/package.json test/
RUN npx -y pnpm@12 install --frozen-lockfile --prod --filter '!@millrace/test' --filter '!@millrace/examples' --filter '!@millrace/cli'

FROM node:24-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=install /app ./
COPY apps ./apps
COPY packages ./packages
COPY docker ./docker
# The dashboard's pages: built here, as the user below may not write to this folder.
RUN node apps/dashboard/src/build-web.ts
# Reachable from outside the container, so keys are required; the worker answers probes too.
# What is compiled once is kept, types stripped.
ENV NODE_COMPILE_CACHE=/tmp/millrace-compile-cache
ENV NODE_ENV=production MILLRACE_HOST=0.0.0.0 MILLRACE_WORKER_PORT=7073
# Uploaded files and the results of batches: a volume that API and workers share.
ENV MILLRACE_DATA=/var/lib/millrace
RUN mkdir -p /var/lib/millrace && chown node:node /var/lib/millrace
VOLUME /var/lib/millrace
USER node
EXPOSE 7070 7071 7072 7073
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["node", "/app/docker/health.mjs"]
ENTRYPOINT ["tini", "--", "/app/docker/role.sh"]
CMD ["api"]
