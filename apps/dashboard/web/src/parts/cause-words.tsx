/** A cause in words: its code, the field or path it is about, the message without what differs. */
import type { CohortView } from '../../../src/views/failures.ts';

export function CauseWords({ cause: { code, reason, path, message } }: { cause: CohortView['cause'] }) {
  return (
    <>
      <code>{code}</code>
      {reason !== null && reason !== code && <small> {reason.replaceAll('_', ' ')}</small>}
      {path !== null && (
        <small>
          {' '}
          at <code>{path}</code>
        </small>
      )}
      <span className="said">{message === '' ? '(no message)' : message}</span>
    </>
  );
}
