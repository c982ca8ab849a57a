/** A status as a coloured word. */
const TONES: Readonly<Record<string, string>> = {
  completed: 'good',
  failed: 'bad',
  incomplete: 'warn',
  expired: 'warn',
  in_progress: 'active',
  running: 'active',
  validating: 'active',
  finalizing: 'active',
};

export function StatusBadge({ status }: { status: string }) {
  return <span className={`badge ${TONES[status] ?? ''}`}>{status.replaceAll('_', ' ')}</span>;
}
