/** Use over time as an SVG: a line for each contender against the limit, legible on light and dark pages. */

export interface Use {
  name: string;
  /** What it came to, below its name. */
  note: string;
  tokensEachSecond: readonly number[];
}

const WIDTH = 860;
const HEIGHT = 420;
const LEFT = 64;
const RIGHT = 20;
const TOP = 100;
const BOTTOM = 48;
const SECONDS_PER_GRID = 10;
const TOKENS_PER_GRID = 2500;
/** A mean over so many seconds: single large jobs would else hide what the line does. */
const SMOOTHED_SECONDS = 3;

/** @param limitPerSecond tokens a second that the upstream allows */
export function plotUse(uses: readonly Use[], limitPerSecond: number, title: string): string {
  // The last second is not a whole one.
  const lines = uses.map(({ tokensEachSecond }) => smoothed(tokensEachSecond.slice(0, -1)));
  const seconds = roundUp(Math.max(...lines.map((line) => line.length)), SECONDS_PER_GRID);
  const most = roundUp(Math.max(limitPerSecond, ...lines.flat()) + 1, TOKENS_PER_GRID);
  const x = (second: number): string => (LEFT + (second / seconds) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (tokens: number): string => (HEIGHT - BOTTOM - (tokens / most) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const steps = (to: number, by: number): number[] => Array.from({ length: to / by + 1 }, (_, step) => step * by);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    `<text class="title" x="${LEFT}" y="26">${escaped(title)}</text>`,
    ...uses.map((use, index) => legend(use, index, uses.length)),
    ...steps(most, TOKENS_PER_GRID).flatMap((tokens) => [
      `<path class="grid" d="M${LEFT} ${y(tokens)}H${WIDTH - RIGHT}"/>`,
      `<text class="tick" text-anchor="end" x="${LEFT - 8}" y="${Number(y(tokens)) + 4}">${tokens.toLocaleString('en')}</text>`,
    ]),
    ...steps(seconds, SECONDS_PER_GRID).map(
      (second) =>
        `<text class="tick" text-anchor="middle" x="${x(second)}" y="${HEIGHT - BOTTOM + 18}">${second}</text>`,
    ),
    `<text class="tick" text-anchor="middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}">seconds since the start</text>`,
    `<path class="limit" d="M${LEFT} ${y(limitPerSecond)}H${WIDTH - RIGHT}"/>`,
    `<text class="tick" text-anchor="end" x="${WIDTH - RIGHT}" y="${Number(y(limitPerSecond)) - 6}">the limit</text>`,
    // The first contender is drawn last, above the others.
    ...lines.map((line, index) => `<path class="use use${index}" d="${path(line, x, y)}"/>`).reverse(),
    '</svg>',
  ].join('\n')}\n`;
}

const STYLE = `
text{font:13px system-ui,sans-serif;fill:#3d4450}.title{font-size:15px;font-weight:600;fill:#1b1f26}
.page{fill:#fff}.grid{stroke:#e3e6ea}.limit{stroke:#59636e;stroke-dasharray:6 4;stroke-width:1.5}
.use{fill:none;stroke-width:2;stroke-linejoin:round}.use0{stroke:#0a7d4b}.use1{stroke:#c2410c}.use2{stroke:#2f5fd0}
@media (prefers-color-scheme:dark){text{fill:#b6bec9}.title{fill:#f0f3f6}.page{fill:#0f1318}.grid{stroke:#2a3038}
.limit{stroke:#9aa4af}.use0{stroke:#3fc98b}.use1{stroke:#f59056}.use2{stroke:#85aaff}}
`;

function legend({ name, note }: Use, index: number, count: number): string {
  const x = LEFT + (index * (WIDTH - LEFT - RIGHT)) / count;
  const words = `<text x="${x + 28}" y="54">${escaped(name)}</text><text x="${x + 28}" y="74">${escaped(note)}</text>`;
  return `<path class="use use${index}" d="M${x} 50h22"/>${words}`;
}

function path(line: readonly number[], x: (second: number) => string, y: (tokens: number) => string): string {
  return line.map((tokens, second) => `${second === 0 ? 'M' : 'L'}${x(second + 0.5)} ${y(tokens)}`).join('');
}

/** The mean around each second; at both ends of fewer seconds. */
function smoothed(values: readonly number[]): number[] {
  const reach = Math.floor(SMOOTHED_SECONDS / 2);
  return values.map((_, at) => {
    const around = values.slice(Math.max(0, at - reach), at + reach + 1);
    return around.reduce((sum, value) => sum + value, 0) / around.length;
  });
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
