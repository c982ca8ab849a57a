/** Lines over time, drawn by uPlot; a table of the same figures is there for who does not see them. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface ChartSeries {
  label: string;
  /** A custom property of the style sheet: `--share-failed`. */
  color: string;
  values: readonly (number | null)[];
  /** Filled below. */
  area?: boolean;
  dashed?: boolean;
}

export interface ChartProps {
  /** What it shows, in words. */
  title: string;
  /** Unix seconds, ascending; as many as each series has values. */
  times: readonly number[];
  series: readonly ChartSeries[];
  height?: number;
  format?: (value: number) => string;
}

export function Chart({ title, times, series, height = 140, format = String }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shape = series.map(({ label, color }) => `${label} ${color}`).join('|');

  // biome-ignore lint/correctness/useExhaustiveDependencies: new figures are set on the plot that is there
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(element, series, height, format), dataOf(times, series), element);
    };
    draw();
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    dark.addEventListener('change', draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, height]);

  useEffect(() => plot.current?.setData(dataOf(times, series)), [times, series]);

  const last = series.map(({ label, values }) => `${label}: ${formatLast(values, format)}`).join(', ');
  return (
    <figure className="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} role="img" aria-label={`${title}. Latest: ${last}.`} />
    </figure>
  );
}

function formatLast(values: readonly (number | null)[], format: (value: number) => string): string {
  const last = values.findLast((value) => value !== null);
  return last === undefined || last === null ? 'none' : format(last);
}

function dataOf(times: readonly number[], series: readonly ChartSeries[]): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])] as uPlot.AlignedData;
}

function optionsOf(
  element: HTMLElement,
  series: readonly ChartSeries[],
  height: number,
  format: (value: number) => string,
): uPlot.Options {
  const styles = getComputedStyle(element);
  const color = (name: string): string => styles.getPropertyValue(name).trim();
  const axis = {
    font: '12px system-ui, sans-serif',
    stroke: color('--muted'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: Math.max(100, element.clientWidth),
    height,
    legend: { show: series.length > 1, live: false },
    // As all times here.
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    cursor: { y: false },
    scales: { y: { range: (_plot, _min, max) => [0, (max ?? 0) > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, space: 70, size: 30, values: (_plot, ticks) => timesOf(ticks) },
      { ...axis, size: 56, values: (_plot, ticks) => ticks.map((tick) => format(tick)) },
    ],
    series: [
      {},
      ...series.map(({ label, color: name, area, dashed }) => ({
        label,
        stroke: color(name),
        width: 1.5,
        points: { show: false },
        ...(area ? { fill: `${color(name)}33` } : {}),
        ...(dashed ? { dash: [5, 4] } : {}),
      })),
    ],
  };
}

const DAY_SECONDS = 86_400;

/** UTC: 19:50, the date where a day begins; nothing between the days where each figure is a day's. */
function timesOf(ticks: readonly number[]): (string | null)[] {
  const [first = 0, second = first] = ticks;
  const whole = (ticks.at(-1) ?? 0) - first > 2 * DAY_SECONDS;
  return ticks.map((tick) => {
    const iso = new Date(tick * 1000).toISOString();
    if (tick % DAY_SECONDS === 0) return iso.slice(5, 10);
    return whole && second - first < DAY_SECONDS ? null : iso.slice(11, 16);
  });
}
