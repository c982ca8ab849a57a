/** What was said, one after the other: messages with their parts, calls of tools and what those told. */
import type { Chat, ChatItem, Part } from '../../../src/views/job.ts';
import { formatCount } from '../format.ts';
import { LongText, WholeAsFile } from './long-text.tsx';

export function ChatLog({ id, chat, part = 'input' }: { id: string; chat: Chat; part?: string }) {
  const half = Math.ceil(chat.items.length / 2);
  if (chat.items.length === 0) return <p className="empty">Nothing.</p>;
  return (
    <ol className="chat">
      {chat.items.map((item, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the items of a job stay where they are
        <li key={place} className={`message role-${roleOf(item)}`}>
          {place === half && chat.omitted > 0 && (
            <p className="cut">
              {formatCount(chat.omitted)} items are left out here. <WholeAsFile id={id} part={part} />
            </p>
          )}
          <Item id={id} item={item} part={part} />
        </li>
      ))}
    </ol>
  );
}

/** For its looks only. */
function roleOf(item: ChatItem): string {
  if (item.kind !== 'message') return item.kind;
  return ['user', 'assistant', 'system', 'developer', 'document'].includes(item.role) ? item.role : 'other';
}

export function Item({ id, item, part }: { id: string; item: ChatItem; part: string }) {
  switch (item.kind) {
    case 'message':
      return (
        <>
          <p className="role">
            <bdi>{item.role}</bdi>
          </p>
          {item.parts.map((one, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a message stay where they are
            <PartOf key={place} id={id} part={one} raw={part} />
          ))}
        </>
      );
    case 'call':
      return (
        <>
          <p className="role">
            calls <code dir="auto">{item.name}</code>{' '}
            <small>
              <bdi>{item.callId}</bdi>
            </small>
          </p>
          <LongText id={id} part={part} text={item.arguments} />
        </>
      );
    case 'told':
      return (
        <>
          <p className="role">
            the tool’s answer{' '}
            <small>
              <bdi>{item.callId}</bdi>
            </small>
          </p>
          <LongText id={id} part={part} text={item.output} />
        </>
      );
    case 'reasoning':
      return (
        <>
          <p className="role">reasoning</p>
          {item.text.text === '' ? (
            <p className="empty">Not told.</p>
          ) : (
            <LongText id={id} part={part} text={item.text} />
          )}
        </>
      );
    case 'other':
      return (
        <>
          <p className="role">
            <bdi>{item.type}</bdi>
          </p>
          <LongText id={id} part={part} text={item.json} />
        </>
      );
  }
}

function PartOf({ id, part, raw }: { id: string; part: Part; raw: string }) {
  switch (part.kind) {
    case 'text':
      return <LongText id={id} part={raw} text={part.text} />;
    case 'image':
      return part.src === null ? (
        <Elsewhere what="Image" about={part.about} href={part.href} />
      ) : (
        <figure>
          <img src={part.src} alt="Sent along with the request" />
          <figcaption className="muted">{part.about}</figcaption>
        </figure>
      );
    case 'file':
      return <Elsewhere what="File" about={part.about} href={part.href} />;
    case 'other':
      return <LongText id={id} part={raw} text={part.json} />;
  }
}

function Elsewhere({ what, about, href }: { what: string; about: string; href: string | null }) {
  return (
    <p className="elsewhere">
      {what}:{' '}
      {href === null ? (
        <bdi>{about}</bdi>
      ) : (
        <a href={href} rel="noopener noreferrer" target="_blank">
          <bdi>{about}</bdi>
        </a>
      )}
    </p>
  );
}
