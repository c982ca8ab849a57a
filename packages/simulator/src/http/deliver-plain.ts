/** A plain answer: one JSON body, whole, or broken as the fault says. */
import { type Break, breakAfter, PADDING_BYTES, writePadding } from './break-connection.ts';
import { type Exchange, sendText, setCommonHeaders, whenDelivered } from './exchange.ts';
import type { PlainAnswer } from './wire.ts';

/** Sends the answer; `delivered` is called once it is wholly written, and never for a broken one. */
export function deliverPlain(
  exchange: Exchange,
  { status, body }: PlainAnswer,
  broken: Break | undefined,
  delivered: () => void,
): void {
  // The connection stays open, and nothing comes over it.
  if (broken === 'mute') return;
  const { res } = exchange;
  const text = JSON.stringify(body);
  const half = text.slice(0, Math.ceil(text.length / 2)).toWellFormed();
  if (broken === undefined) {
    whenDelivered(exchange, delivered);
    sendText(exchange, status, 'application/json', text);
    return;
  }
  if (broken === 'badjson' || broken === 'noterminal') {
    sendText(exchange, status, 'application/json', half);
    return;
  }
  setCommonHeaders(exchange);
  const length = Buffer.byteLength(text) + (broken === 'hugeline' ? PADDING_BYTES : 0);
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': length });
  if (broken !== 'hugeline') {
    breakAfter(exchange, half, broken);
    return;
  }
  whenDelivered(exchange, delivered);
  res.write(text.slice(0, -1));
  void writePadding(exchange).then((open) => open && res.end('}'));
}
