/** What to do where no Redis was found, by platform. */
import { LEAST_REDIS_VERSION } from './redis-version.ts';

/** The whole message: what was tried and why each failed, then each remedy. */
export function noRedisMessage(reasons: readonly string[]): string {
  return [
    `No Redis ${LEAST_REDIS_VERSION} or newer to start here:`,
    ...reasons.map((reason) => `  - ${reason.replaceAll('\n', '\n    ')}`),
    'Do one of these, then start again:',
    '  macOS           brew install redis',
    '  Debian, Ubuntu  sudo apt-get install redis-server',
    '  Fedora          sudo dnf install redis        (or: valkey)',
    '  Alpine          sudo apk add redis            (or: valkey)',
    '  Windows         run Millrace inside WSL (wsl --install), then as on Debian or Ubuntu',
    '  anywhere        start Docker, or set REDIS_URL to a Redis that runs already',
  ].join('\n');
}
