/** What most jobs failed of in the last hour: each cause with its share, its course over the hour, and all its jobs. */
import { Link } from 'wouter';
import type { CauseView } from '../../../src/views/overview.ts';
import { formatCount, formatShare } from '../format.ts';
import { Ago } from './ago.tsx';

const BAR = 8;
const HEIGHT = 18;

export function CauseTable({ causes }: { causes: readonly CauseView[] }) {
  if (causes.length === 0) return <p className="empty">No job has failed within the last hour.</p>;
  return (
    <table className="overview-causes" aria-label="Causes of failures, last hour">
      <thead>
        <tr>
          <th scope="col">Cause, last hour</th>
          <th scope="col" className="number">
            Jobs
          </th>
          <th scope="col" className="number">
            Share
          </th>
          <th scope="col">Trend</th>
          <th scope="col">Last</th>
        </tr>
      </thead>
      <tbody>
        {causes.map(({ cause, code, message, count, share, trend, lastAt }) => (
          <tr key={cause}>
            <th scope="row" className="reason">
              <Link href={`/failures/${encodeURIComponent(cause)}?hours=1`}>
                <code>{code}</code>
              </Link>{' '}
              <bdi className="line" title={message}>
                {message}
              </bdi>
            </th>
            <td className="number" data-label="Jobs">
              {formatCount(count)}
            </td>
            <td className="number" data-label="Share">
              {formatShare(share)}
            </td>
            <td data-label="Trend">
              <Course trend={trend} />
            </td>
            <td data-label="Last">
              <Ago at={lastAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** For the eye only: how many, and when last, stand beside it. */
function Course({ trend }: { trend: readonly number[] }) {
  const most = Math.max(1, ...trend);
  return (
    <svg aria-hidden="true" className="course" viewBox={`0 0 ${trend.length * BAR} ${HEIGHT}`} focusable="false">
      {trend.map((count, index) => {
        const height = count === 0 ? 1 : Math.max(2, (count / most) * HEIGHT);
        // biome-ignore lint/suspicious/noArrayIndexKey: each bar is its place in time
        return <rect key={index} x={index * BAR} y={HEIGHT - height} width={BAR - 2} height={height} />;
      })}
    </svg>
  );
}
