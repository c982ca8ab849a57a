/** Every route of an Express app, found in its router: so that a test of all of them cannot forget a new one. */

export interface FoundRoute {
  method: string;
  /** With its parameters as they are written: /api/jobs/:id. */
  path: string;
}

/** What Express 5 keeps of each handler. */
interface Layer {
  route?: { path: string | string[]; methods: Record<string, boolean> };
  handle: { stack?: Layer[] };
  /** Whether the path is below where it is mounted; Express keeps no text of that. */
  match(path: string): boolean;
}

/**
 * @param mounts where routers are mounted, all of them
 * @throws Error where one is mounted elsewhere
 */
export function routesOf(app: { router: unknown }, mounts: readonly string[]): FoundRoute[] {
  return walk((app.router as { stack: Layer[] }).stack, '', mounts);
}

function walk(layers: readonly Layer[], below: string, mounts: readonly string[]): FoundRoute[] {
  return layers.flatMap((layer) => {
    const { route, handle } = layer;
    if (route !== undefined) {
      const paths = [route.path].flat();
      return Object.keys(route.methods).flatMap((method) => paths.map((path) => ({ method, path: `${below}${path}` })));
    }
    if (handle.stack === undefined) return [];
    const mount = mounts.find((path) => layer.match(path));
    if (mount === undefined) throw new Error(`a router is mounted below '${below}' at none of ${mounts.join(', ')}`);
    return walk(handle.stack, `${below}${mount}`, mounts);
  });
}
