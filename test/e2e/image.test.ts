/** The image and the compose file, as far as they can be checked without a Docker engine. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');

/** `docker compose` or `docker-compose`, whichever is there. */
function composeCommand(): [string, string[]] | null {
  for (const [command, args] of [
    ['docker', ['compose']],
    ['docker-compose', []],
  ] as [string, string[]][]) {
    if (spawnSync(command, [...args, 'version']).status === 0) return [command, args];
  }
  return null;
}
const compose = composeCommand();

it.skipIf(compose === null)(
  'docker compose config accepts the compose file (skipped where neither docker compose nor docker-compose is installed)',
  () => {
    const [command, args] = compose as [string, string[]];
    const config = execFileSync(command, [...args, 'config'], { cwd: ROOT, encoding: 'utf8' });
    for (const service of ['api', 'dashboard', 'redis', 'worker']) expect(config).toContain(`${service}:`);
    expect(config).toMatch(/127\.0\.0\.1/);
  },
);

it('the image installs for every package of the workspace, and copies every folder a role needs', () => {
  for (const parent of ['apps', 'packages']) {
    for (const name of readdirSync(join(ROOT, parent))) {
      expect(dockerfile, `${parent}/${name}`).toContain(`COPY ${parent}/${name}/package.json ${parent}/${name}/`);
    }
  }
  for (const [, source = ''] of dockerfile.matchAll(/^COPY (?!--from)(\S+)/gm))
    expect(existsSync(join(ROOT, source)), source).toBe(true);
});

it('the container’s entry knows every role, and refuses another by name', () => {
  const script = readFileSync(join(ROOT, 'docker', 'role.sh'), 'utf8');
  for (const role of ['api', 'worker', 'dashboard', 'simulator']) expect(script).toContain(role);
  const refused = spawnSync('sh', [join(ROOT, 'docker', 'role.sh'), 'cook'], { encoding: 'utf8' });
  expect(refused.status).toBe(64);
  expect(refused.stderr).toContain("There is no role 'cook'");
});

it('the image runs as nobody special, with an init and a health check', () => {
  expect(dockerfile).toMatch(/^USER node$/m);
  expect(dockerfile).toMatch(/^ENTRYPOINT \["tini"/m);
  expect(dockerfile).toMatch(/^HEALTHCHECK /m);
});
