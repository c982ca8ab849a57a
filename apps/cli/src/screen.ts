/**
 * What people read: one line a part, aligned; colours only on a terminal that wants them (NO_COLOR is respected).
 * Everything that is printed goes through here, so that a progress bar is never written into.
 */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const NAME_WIDTH = 11;
const STATE_WIDTH = 8;

export type PartState = keyof typeof STATE_STYLES;

export interface Screen {
  isTerminal: boolean;
  /** Columns a line may take. */
  width(): number;
  style(style: Style, text: string): string;
  line(text?: string): void;
  /** A part's state; passing ones (`starting`, `stopping`) are replaced on a terminal and left out elsewhere. */
  part(name: string, state: PartState, detail?: string): void;
  /** Leads lines elsewhere (above a progress bar) until it is called with null. */
  leadTo(sink: ((line: string) => void) | null): void;
}

/** What a line is cut to where nobody says how wide it may be. */
const WIDTH_ELSEWHERE = 120;
const STATE_STYLES = { starting: 'dim', ready: 'green', stopping: 'dim', stopped: 'dim' } as const;

export function openScreen(stream: NodeJS.WriteStream): Screen {
  const isTerminal = stream.isTTY === true;
  // A reader that has gone away (`start | head`) must not end the stack: it is ended by a signal.
  stream.on('error', () => {});
  let sink: ((line: string) => void) | null = null;
  let replaceable = false;
  const style = (wanted: Style, text: string) => styleText(wanted, text, { stream });
  const clear = () => {
    if (replaceable) stream.write('\r\x1b[K');
    replaceable = false;
  };
  const line = (text = '') => {
    if (sink !== null) return sink(text);
    clear();
    stream.write(`${text}\n`);
  };
  return {
    isTerminal,
    width: () => stream.columns ?? WIDTH_ELSEWHERE,
    style,
    line,
    part: (name, state, detail = '') => {
      const label = style(STATE_STYLES[state], state.padEnd(STATE_WIDTH));
      const text = `  ${name.padEnd(NAME_WIDTH)} ${label} ${detail}`.trimEnd();
      if (state === 'ready' || state === 'stopped') return line(text);
      if (!isTerminal || sink !== null) return;
      clear();
      stream.write(text);
      replaceable = true;
    },
    leadTo: (next) => {
      sink = next;
    },
  };
}
