/** For tests only: a server with background responses, each route of it answered by hand. */
import { answer, type Behaviour, event, type Received, response, stream } from './misbehaving-server.ts';

export interface Routes {
  create?: Behaviour;
  /** `GET /responses/{id}?stream=true`. */
  replay?: Behaviour;
  /** `GET /responses/{id}`. */
  retrieve?: Behaviour;
  cancel?: Behaviour;
}

export type Route = keyof Routes;

/** Which of the routes a request is for. */
export function routeOf({ method, path }: Received): Route {
  if (method === 'GET') return path.includes('stream=true') ? 'replay' : 'retrieve';
  return path.endsWith('/cancel') ? 'cancel' : 'create';
}

const UNEXPECTED: Behaviour = (socket, request) => {
  answer(418, JSON.stringify({ error: { message: `unexpected: ${routeOf(request)}` } }))(socket, request);
};

/** Answers each route as given, and with an error that says so where none is given. */
export function routes(given: Routes): Behaviour {
  return (socket, request) => (given[routeOf(request)] ?? UNEXPECTED)(socket, request);
}

/** Answers the n-th request as the n-th says, and all that follow as the last does. */
export function inTurn(...behaviours: [Behaviour, ...Behaviour[]]): Behaviour {
  let next = 0;
  return (socket, request) => {
    const behaviour = behaviours[Math.min(next++, behaviours.length - 1)];
    behaviour?.(socket, request);
  };
}

const inBackground = (fields: Record<string, unknown> = {}): Record<string, unknown> =>
  response({ background: true, ...fields });

/** A response as it stands. */
export const stands = (fields: Record<string, unknown> = {}): Behaviour =>
  answer(200, JSON.stringify(inBackground(fields)));

export const queued = stands({ status: 'queued', output: [], usage: null });

/** The events of a background response; their sequence numbers are their places. */
export const opening = event('response.created', {
  sequence_number: 0,
  response: inBackground({ status: 'queued', output: [], usage: null }),
});
export const second = event('response.output_text.delta', { sequence_number: 1, delta: 'Hel' });
export const third = event('response.output_text.delta', { sequence_number: 2, delta: 'lo' });
export const last = event('response.completed', { sequence_number: 3, response: inBackground() });

/** A stream that ends before its terminal event. */
export const cutShort = stream([opening, second]);
