/** A text that matches a regular expression, at best effort: the common syntax, no look-around, no back-references. */

type Node =
  | { kind: 'text'; text: string }
  | { kind: 'sequence'; nodes: Node[] }
  | { kind: 'choice'; options: Node[] }
  | { kind: 'repeat'; node: Node; min: number; max: number };

/** Fills repeats that have no upper bound of their own. */
const UNBOUNDED = Number.POSITIVE_INFINITY;
const MAX_PATTERN_CHARACTERS = 500;
const MAX_REPEAT = 1000;
/** Characters tried for a class, the likeliest first. */
const CANDIDATES = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
  .toSorted((a, b) => Number(/\w/.test(b)) - Number(/\w/.test(a)) || Number(/[a-z]/.test(b)) - Number(/[a-z]/.test(a)))
  .concat('\n', '\t', 'é');

function memberOf(className: string): string {
  const expression = new RegExp(`^${className}$`, 'u');
  return CANDIDATES.find((character) => expression.test(character)) ?? '';
}

/** Reads a pattern once, left to right. Throws a SyntaxError for what it does not know. */
function parsePattern(pattern: string): Node {
  let at = 0;

  function parseChoice(): Node {
    const options = [parseSequence()];
    while (pattern[at] === '|') {
      at += 1;
      options.push(parseSequence());
    }
    return options.length === 1 && options[0] ? options[0] : { kind: 'choice', options };
  }

  function parseSequence(): Node {
    const nodes: Node[] = [];
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') nodes.push(parseRepeat(parseAtom()));
    return { kind: 'sequence', nodes };
  }

  function parseRepeat(node: Node): Node {
    const rest = pattern.slice(at);
    const quantifier = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(rest);
    if (!quantifier) return node;
    at += quantifier[0].length;
    const [, sign, low, comma, high] = quantifier;
    if (sign === '*') return { kind: 'repeat', node, min: 0, max: UNBOUNDED };
    if (sign === '+') return { kind: 'repeat', node, min: 1, max: UNBOUNDED };
    if (sign === '?') return { kind: 'repeat', node, min: 0, max: 1 };
    const min = Number(low);
    return { kind: 'repeat', node, min, max: high ? Number(high) : comma ? UNBOUNDED : min };
  }

  function parseGroup(): Node {
    const opening = /^\((?:\?(?::|<[A-Za-z_]\w*>))?/.exec(pattern.slice(at))?.[0] ?? '(';
    if (pattern.startsWith('(?', at) && opening === '(') throw new SyntaxError('look-around is not known');
    at += opening.length;
    const inner = parseChoice();
    at += 1;
    return inner;
  }

  function parseAtom(): Node {
    const character = pattern[at] ?? '';
    if (character === '(') return parseGroup();
    if (character === '^' || character === '$') {
      at += 1;
      return { kind: 'text', text: '' };
    }
    const atom = /^(?:\[(?:\\.|[^\]\\])*\]|\\[pP]\{[^}]+\}|\\u\{?[0-9a-fA-F]+\}?|\\x[0-9a-fA-F]{2}|\\.|[\s\S])/u.exec(
      pattern.slice(at),
    )?.[0];
    if (atom === undefined) throw new SyntaxError('the pattern breaks off');
    at += atom.length;
    if (/^\\[bB]$/.test(atom)) return { kind: 'text', text: '' };
    if (/^\\[1-9k]$/.test(atom)) throw new SyntaxError('back-references are not known');
    const literal = atom.length === 1 && atom !== '.';
    return { kind: 'text', text: literal ? atom : memberOf(atom) };
  }

  return parseChoice();
}

function write(node: Node, extra: number, pick: number): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'sequence':
      return node.nodes.map((inner) => write(inner, extra, pick)).join('');
    case 'choice': {
      const option = node.options[pick % node.options.length];
      return option ? write(option, extra, pick) : '';
    }
    case 'repeat':
      return write(node.node, extra, pick).repeat(Math.min(node.min + extra, node.max, MAX_REPEAT));
  }
}

/**
 * A text that matches `pattern` and `fits`; undefined where none is found.
 * Longer and longer repeats are tried, and each alternative of a choice.
 */
export function matchingText(pattern: string, fits: (text: string) => boolean): string | undefined {
  if (pattern.length > MAX_PATTERN_CHARACTERS) return undefined;
  let tree: Node;
  try {
    tree = parsePattern(pattern);
  } catch {
    // Beyond this small grammar: the caller falls back to a text that does not match.
    return undefined;
  }
  const MAX_EXTRA = 64;
  const MAX_PICK = 4;
  for (let extra = 0; extra <= MAX_EXTRA; extra += 1) {
    for (let pick = 0; pick < MAX_PICK; pick += 1) {
      const text = write(tree, extra, pick);
      if (fits(text)) return text;
    }
  }
  return undefined;
}
