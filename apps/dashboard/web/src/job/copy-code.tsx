/** The job as code that submits it again, to be copied. */
import { useState } from 'react';
import type { CutText, JobPageView } from '../../../src/views/job.ts';
import { useFetched } from '../api.ts';
import { Problem } from '../parts/problem.tsx';
import { codeOf, LANGUAGES, type Language } from './code.ts';
import { rawPath } from './long-text.tsx';

export function CopyCode({ job }: { job: JobPageView }) {
  const [open, setOpen] = useState(false);
  const [language, setLanguage] = useState<Language>('curl');
  const [copied, setCopied] = useState('');
  const { data, error, again } = useFetched<CutText>(open ? `${rawPath(job.id, 'request')}&cut=1` : null);
  const code = data === null || data.omitted > 0 ? null : codeFor(job, language, data.text);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(code ?? '');
      setCopied('Copied.');
    } catch {
      setCopied('The browser does not let us copy: select the text.');
    }
  };
  return (
    <details className="code" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As code</summary>
      {error !== null && <Problem error={error} again={again} />}
      {data !== null && data.omitted > 0 && (
        <p className="empty">The request is too large for code to copy: take it as a file from above.</p>
      )}
      {code !== null && (
        <>
          <p>
            <label>
              Language{' '}
              <select
                value={language}
                onChange={(event) => {
                  setLanguage(event.target.value as Language);
                  setCopied('');
                }}
              >
                {LANGUAGES.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>{' '}
            <button type="button" onClick={() => void copy()}>
              Copy
            </button>{' '}
            <span role="status">{copied}</span>
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <pre tabIndex={0}>{code}</pre>
          <p className="muted">
            Set MILLRACE_API_KEY to a key of an operator. Where no keys are configured, any will do.
          </p>
        </>
      )}
    </details>
  );
}

function codeFor(job: JobPageView, language: Language, request: string): string {
  const { protocol, hostname } = location;
  return codeOf(language, {
    baseUrl: `${protocol}//${hostname}:${job.api_port}`,
    ...{ queue: job.queue, model: job.model, type: job.type, request: JSON.parse(request) },
  });
}
