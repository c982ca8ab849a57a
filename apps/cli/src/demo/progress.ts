/** How far the demo is: a bar on a terminal, a line every few seconds elsewhere. */
import { MultiBar, Presets } from 'cli-progress';
import type { Screen } from '../screen.ts';

const PLAIN_EVERY_MS = 3000;
const BAR_COLUMNS = 28;
/** Enough to look alive. */
const FRAMES_PER_SECOND = 5;

export interface Counts {
  done: number;
  failed: number;
  tokens: number;
}

export interface Progress {
  update(counts: Counts): void;
  /** Shows the last state and gives the screen back. Idempotent. */
  close(): void;
}

/** Opens the display for `total` jobs, of which `counts` have ended before. */
export function openProgress(total: number, counts: Counts, screen: Screen, stream: NodeJS.WriteStream): Progress {
  const startedAt = Date.now();
  const before = counts.done + counts.failed;
  let current = counts;
  const text = () => describe(total, current, current.done + current.failed - before, Date.now() - startedAt);
  if (!screen.isTerminal) {
    const print = () => screen.line(`  ${text()}`);
    const timer = setInterval(print, PLAIN_EVERY_MS);
    let open = true;
    return {
      update: (next) => {
        current = next;
      },
      close: () => {
        clearInterval(timer);
        if (open) print();
        open = false;
      },
    };
  }
  const bars = new MultiBar(
    {
      stream,
      hideCursor: true,
      // The pace and the ETA change while nothing ends, and a line printed above it wipes the bar.
      forceRedraw: true,
      fps: FRAMES_PER_SECOND,
      // Signals are the stack's affair: it closes the bar.
      gracefulExit: false,
      barsize: BAR_COLUMNS,
      format: (options, params) => {
        const full = Math.round(params.progress * BAR_COLUMNS);
        const bar =
          (options.barCompleteString ?? '').slice(0, full) +
          (options.barIncompleteString ?? '').slice(full, BAR_COLUMNS);
        return cut(`  ${bar}  ${text()}`, screen.width());
      },
    },
    Presets.shades_classic,
  );
  const bar = bars.create(total, before);
  screen.leadTo((line) => bars.log(`${line}\n`));
  return {
    update: (next) => {
      current = next;
      bar.update(next.done + next.failed);
    },
    close: () => {
      if (!bars.isActive) return;
      // Prints what was logged since the last redraw.
      bars.update();
      bars.stop();
      screen.leadTo(null);
    },
  };
}

/** `ended` jobs have ended in the last `elapsedMs`. */
export function describe(total: number, { done, failed, tokens }: Counts, ended: number, elapsedMs: number): string {
  const left = total - done - failed;
  const perSecond = elapsedMs > 0 ? (ended * 1000) / elapsedMs : 0;
  const parts = [
    `${done} of ${total} done`,
    `${failed} failed`,
    `${rate(perSecond)} jobs/s`,
    `${count(tokens)} tokens`,
  ];
  if (left > 0) parts.push(`ETA ${perSecond > 0 ? duration(left / perSecond) : '–'}`);
  return parts.join(' · ');
}

/** Seconds as people say them. */
export function duration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A number with its thousands apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function rate(perSecond: number): string {
  return perSecond >= 10 ? String(Math.round(perSecond)) : perSecond.toFixed(1);
}

function cut(text: string, width: number): string {
  return text.length < width ? text : text.slice(0, Math.max(0, width - 1));
}
