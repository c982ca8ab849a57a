/** One figure of the whole: large, with its name above and what explains it below. */
import type { ReactNode } from 'react';

export interface StatProps {
  name: string;
  /** Not known yet: a dash. */
  value: string | null;
  tone?: 'bad' | 'warn' | '';
  children?: ReactNode;
}

export function Stat({ name, value, tone = '', children }: StatProps) {
  return (
    <div className="stat">
      <dt>{name}</dt>
      <dd className={`stat-value ${tone}`} data-stat={name}>
        {value ?? '–'}
      </dd>
      <dd className="stat-more">{children}</dd>
    </div>
  );
}
