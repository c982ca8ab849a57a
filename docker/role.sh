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
echo "$1" >/tmp/millrace-role
exec node "$main"
