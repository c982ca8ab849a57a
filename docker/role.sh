#!/bin/sh
# Becomes the role's process, so that SIGTERM reaches it. The role is noted for the health check.
set -eu
case "${1:-api}" in
  api | worker | dashboard) main="/app/apps/$1/src/main.ts" ;;
  simulator) main=/app/packages/simulator/src/main.ts ;;
  *)
    echo "There is no role '$1'. The roles are: api, worker, dashboard, simulator." >&2
    exit 64
    ;;
esac
echo "${1:-api}" >/tmp/millrace-role
# Calls in flight outlive a young generation of any size; a smaller one saves a worker about 40 MiB and no CPU.
if [ "${1:-api}" = worker ]; then
  exec node --max-semi-space-size=8 "$main"
fi
exec node "$main"
