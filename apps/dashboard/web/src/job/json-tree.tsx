/** A structured answer as a tree that opens and closes; what misses the schema is marked where it stands. */
interface Miss {
  path: string;
  problem: string;
}

/** What is deeper, or comes after so many, is closed or left out at first. */
const OPEN_DEPTH = 3;
const CHILDREN_SHOWN = 500;

export default function JsonTree({ value, misses }: { value: unknown; misses: readonly Miss[] }) {
  return (
    <div className="tree">
      <Node name={null} value={value} path="" misses={misses} depth={0} />
    </div>
  );
}

interface NodeProps {
  name: string | null;
  value: unknown;
  /** As misses name it: dotted, '' of the whole. */
  path: string;
  misses: readonly Miss[];
  depth: number;
}

function Node({ name, value, path, misses, depth }: NodeProps) {
  const own = misses.filter((miss) => miss.path === path);
  const below = misses.filter((miss) => path === '' || miss.path.startsWith(`${path}.`));
  const label = (
    <>
      {name !== null && (
        <>
          <bdi className="name">{name}</bdi>:{' '}
        </>
      )}
    </>
  );
  const marks = own.map(({ problem }) => (
    <strong key={problem} className="miss">
      <bdi>{problem}</bdi>
    </strong>
  ));
  if (typeof value !== 'object' || value === null) {
    return (
      <div className={own.length > 0 ? 'leaf missed' : 'leaf'}>
        {label}
        <bdi className={value === null ? 'null' : typeof value}>{JSON.stringify(value)}</bdi> {marks}
      </div>
    );
  }
  const list = Array.isArray(value);
  const children = Object.entries(value);
  const count = `${children.length} ${list ? 'items' : 'fields'}`;
  return (
    <details open={depth < OPEN_DEPTH || below.length > 0} className={own.length > 0 ? 'missed' : undefined}>
      <summary>
        {label}
        <span className="muted">{list ? `[ ${count} ]` : `{ ${count} }`}</span> {marks}
      </summary>
      <div className="children">
        {children.slice(0, CHILDREN_SHOWN).map(([field, child]) => (
          <Node
            key={field}
            name={field}
            value={child}
            path={path === '' ? field : `${path}.${field}`}
            misses={below}
            depth={depth + 1}
          />
        ))}
        {children.length > CHILDREN_SHOWN && <p className="cut">{children.length - CHILDREN_SHOWN} more</p>}
      </div>
    </details>
  );
}
