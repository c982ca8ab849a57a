/** How much of a bounded whole is used, as a thin bar. It repeats figures that stand beside it, for the eye only. */
const WIDTH = 1000;
/** Beyond it is nearly full: shown in another colour. */
const FULL = 0.9;

export function Gauge({ share }: { share: number }) {
  const width = Math.round(Math.min(1, Math.max(0, share)) * WIDTH);
  return (
    <span className="gauge">
      <svg aria-hidden="true" viewBox={`0 0 ${WIDTH} 6`} preserveAspectRatio="none" focusable="false">
        <rect className={share >= FULL ? 'gauge-full' : 'gauge-used'} width={width} height="6" />
      </svg>
    </span>
  );
}
