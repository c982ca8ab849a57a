/** Markdown of a model's: no HTML of its own, links only to where one may follow them, and nothing loaded from anywhere. */
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';

const FOLLOWED = /^(https?:\/\/|mailto:)/i;

const COMPONENTS: Components = {
  a: ({ href, children }) =>
    href !== undefined && href !== '' ? (
      <a href={href} rel="noopener noreferrer" target="_blank">
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  // A list of things to do: nothing to be pressed.
  input: ({ checked }) => <span>{checked ? '☑' : '☐'}</span>,
  // Loading it would tell its server of the look.
  img: ({ src, alt }) => (
    <span className="elsewhere">
      Image: {alt}{' '}
      {typeof src === 'string' && src !== '' && (
        <a href={src} rel="noopener noreferrer" target="_blank">
          {src.slice(0, 200)}
        </a>
      )}
    </span>
  ),
};

export default function Markdown({ text }: { text: string }) {
  return (
    <div className="markdown" dir="auto">
      <ReactMarkdown
        skipHtml={false}
        remarkPlugins={[remarkGfm]}
        components={COMPONENTS}
        urlTransform={(url) => (FOLLOWED.test(url) ? url : '')}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
}
