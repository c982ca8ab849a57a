/** Where an answer misses its schema, and how. */
export function Misses({ misses }: { misses: readonly { path: string; problem: string }[] }) {
  if (misses.length === 0) return null;
  return (
    <ul className="misses">
      {misses.map(({ path, problem }, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: one place may be missed twice in the same way
        <li key={place}>
          <code dir="auto">{path === '' ? 'the whole' : path}</code> <bdi>{problem}</bdi>
        </li>
      ))}
    </ul>
  );
}
