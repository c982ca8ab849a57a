/** Who calls in the background, and how an upstream's ability is found out. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { backgroundUse } from './background-use.ts';
import { openUpstream, type Upstream } from './open-upstream.ts';
import { cutShort, inTurn, last, opening, routeOf, routes, stands } from './testing/background-server.ts';
import { answer, type Behaviour, misbehavingServer, response, stream, until } from './testing/misbehaving-server.ts';
import { settings } from './testing/open.ts';
import { nothing, ok } from './testing/scenario.ts';

const body = { model: 'm', input: 'x' };
const refusal = answer(400, '{"error":{"message":"Unknown parameter: \'background\'.","param":"background"}}');
const completed = stream([opening, last]);

describe('a call should be made in the background', () => {
  test.each([
    ['off', 'unknown', false],
    ['off', 'yes', false],
    ['on', 'unknown', true],
    ['on', 'no', true],
    ['on', 'yes', true],
    ['auto', 'unknown', true],
    ['auto', 'no', false],
    ['auto', 'yes', true],
  ] as const)('where it is %s and known is %s: %s', (mode, known, expected) => {
    const use = backgroundUse(mode, () => undefined);
    use.adopt(known);
    expect(use.shouldUse(body)).toBe(expected);
    expect(use.shouldUse({ ...body, store: true })).toBe(expected);
    expect(use.shouldUse({ ...body, store: false })).toBe(false);
  });

  test('by one call at a time while nothing is known', () => {
    const use = backgroundUse('auto', () => undefined);
    const leave = use.enter(body);
    expect([use.shouldUse(body), use.enter(body)]).toEqual([false, null]);
    leave?.();
    expect(use.shouldUse(body)).toBe(true);
    use.enter(body);
    use.learn('yes');
    expect(use.shouldUse(body)).toBe(true);
  });

  test('by all at once where that is configured', () => {
    const use = backgroundUse('on', () => undefined);
    expect([use.enter(body), use.enter(body)]).not.toContain(null);
  });
});

test('only what a call found out is told, and only once', () => {
  const told: string[] = [];
  const use = backgroundUse('auto', (known) => told.push(known));
  use.adopt('no');
  use.adopt('unknown');
  use.learn('yes');
  use.learn('yes');
  use.learn('no');
  expect(told).toEqual(['yes', 'no']);
});

test('a refusal is held against an upstream only while nothing better is known', () => {
  const use = backgroundUse('on', () => undefined);
  use.learn('yes');
  use.learnRefused();
  expect(use.known()).toBe('yes');
  use.adopt('unknown');
  use.learnRefused();
  expect(use.known()).toBe('no');
});

async function open(behaviour: Behaviour, background: 'auto' | 'on' | 'off' = 'auto') {
  const server = await misbehavingServer(behaviour);
  const told: string[] = [];
  const upstream = openUpstream(
    { ...settings(server.baseURL), background },
    { onBackground: (known) => told.push(known) },
  );
  onTestFinished(async () => {
    await upstream.close();
    await server.close();
  });
  const asked = (): unknown[] => server.requests.map((request) => JSON.parse(request.body).background ?? null);
  return { server, told, upstream, asked };
}

function call(upstream: Upstream, signal = new AbortController().signal) {
  return upstream.call({
    body,
    type: 'generate',
    timeoutMs: 10_000,
    signal,
    background: { onStarted: () => undefined },
  });
}

const completedDirect = ok(response());

describe('it is found out', () => {
  test('by the first event of a response in the background, long before its end', async () => {
    const { upstream, told } = await open(stream([opening], false));
    const controller = new AbortController();
    const calling = call(upstream, controller.signal);
    await until('it is known', () => upstream.background() === 'yes');
    expect(upstream.shouldUseBackground(body)).toBe(true);
    expect(told).toEqual(['yes']);
    controller.abort({ kind: 'shutdown' });
    await calling;
  });

  test('by an answer whose background is not true, which is taken', async () => {
    for (const behaviour of [
      ok(response()),
      stands({ background: false }),
      stream([opening.replaceAll('"background":true', '"background":null'), last]),
    ]) {
      const { upstream, told, asked } = await open(behaviour);
      expect(await call(upstream)).toMatchObject({ kind: 'completed' });
      expect(await call(upstream)).toMatchObject({ kind: 'completed' });
      expect([upstream.background(), told, asked()]).toEqual(['no', ['no'], [true, null]]);
    }
  });

  test('by a refusal that names it, once the same request was accepted without', async () => {
    const { upstream, told, asked } = await open(inTurn(refusal, completedDirect));
    expect(await call(upstream)).toMatchObject({ kind: 'completed' });
    expect([upstream.background(), told, asked()]).toEqual(['no', ['no'], [true, null]]);
    expect(upstream.shouldUseBackground(body)).toBe(false);
  });

  test('not by a refusal of a request that is refused without it, too', async () => {
    const { upstream, told } = await open(refusal);
    expect(await call(upstream)).toMatchObject({ kind: 'failed', reason: 'bad_request', possiblyBilled: false });
    expect([upstream.background(), told]).toEqual(['unknown', []]);
    expect(upstream.shouldUseBackground(body)).toBe(true);
  });

  test.each([
    ['an error about something else', answer(500, '')],
    ['a limit', answer(429, '{"error":{"message":"Too many background requests."}}')],
    ['a connection that broke', (socket) => socket.destroy()],
  ] satisfies [string, Behaviour][])('not by %s: the next call asks again', async (_, behaviour) => {
    const { upstream, asked } = await open(behaviour);
    await call(upstream);
    expect(upstream.background()).toBe('unknown');
    await call(upstream);
    expect(asked()).toEqual([true, true]);
  });
});

test('while one call asks, all others go direct, and nothing is sent twice', async () => {
  const { upstream, asked, server } = await open((socket, request) => {
    if (request.body.includes('background')) nothing(socket, request);
    else completedDirect(socket, request);
  });
  const controller = new AbortController();
  const asking = call(upstream, controller.signal);
  await until('it asks', () => server.requests.length === 1);
  expect(upstream.shouldUseBackground(body)).toBe(false);
  const others = await Promise.all(Array.from({ length: 30 }, () => call(upstream)));
  expect(new Set(others.map(({ kind }) => kind))).toEqual(new Set(['completed']));
  expect(asked()).toEqual([true, ...Array(30).fill(null)]);
  controller.abort({ kind: 'lost' });
  await asking;
  expect(upstream.shouldUseBackground(body)).toBe(true);
});

test('of many that begin at once, one asks; once it is proven, all use it', async () => {
  const { upstream, asked, server } = await open((socket, request) => {
    if (request.body.includes('background')) completed(socket, request);
    else completedDirect(socket, request);
  });
  await Promise.all(Array.from({ length: 20 }, () => call(upstream)));
  expect(asked().filter(Boolean)).toEqual([true]);
  server.requests.length = 0;
  await Promise.all(Array.from({ length: 20 }, () => call(upstream)));
  expect(asked()).toEqual(Array(20).fill(true));
});

test('where it is on, each call asks, and falls back without another attempt', async () => {
  const { upstream, asked, told } = await open((socket, request) => {
    if (request.body.includes('background')) refusal(socket, request);
    else completedDirect(socket, request);
  }, 'on');
  for (let round = 0; round < 2; round++) expect(await call(upstream)).toMatchObject({ kind: 'completed' });
  expect([asked(), told]).toEqual([[true, null, true, null], ['no']]);
});

test('where it is off, none is made, whatever is known', async () => {
  const { upstream, asked } = await open(completedDirect, 'off');
  upstream.adoptBackground('yes');
  expect(await call(upstream)).toMatchObject({ kind: 'completed' });
  expect(asked()).toEqual([null]);
});

test('what another process found out spares this one the asking', async () => {
  const { upstream, asked, told } = await open(completedDirect);
  upstream.adoptBackground('no');
  await call(upstream);
  expect([asked(), told]).toEqual([[null], []]);
});

test('an upstream that answers 501 to the background is not asked to do without: that is no 4xx', async () => {
  const { upstream, server } = await open(answer(501, '{"error":{"message":"background is not implemented"}}'));
  expect(await call(upstream)).toMatchObject({ kind: 'failed', error: { upstream_status: 501 } });
  expect(server.requests).toHaveLength(1);
});

test('a re-attachment needs no proof', async () => {
  const { upstream, server } = await open(routes({ replay: cutShort, retrieve: stands() }));
  const request = { body, type: 'generate', timeoutMs: 5000, signal: new AbortController().signal } as const;
  expect(await upstream.reattach({ ...request, upstreamId: 'resp_1', startingAfter: null })).toMatchObject({
    kind: 'completed',
  });
  expect(server.requests.map(routeOf)).toEqual(['replay', 'retrieve']);
  expect(upstream.background()).toBe('unknown');
});
