/** What a README says about its package: its license, how to install it, and its links. */
import type { Document } from './document.ts';
import { sectionUnder } from './markdown.ts';

const MAX_LINKS = 100;

const INSTALL_LINE =
  /^(?:\$|>|#)?\s*((?:sudo\s+)?(?:npm\s+(?:i|install|add)|pnpm\s+(?:add|i|install)|yarn\s+(?:global\s+)?add|bun\s+add|npx\s+jsr\s+add|jsr\s+add|deno\s+add|pip3?\s+install|cargo\s+(?:add|install)|gem\s+install|go\s+get|brew\s+install)\s+[^#\n]*[^\s#])/i;
const INLINE_INSTALL = /`((?:npm\s+(?:i|install|add)|pnpm\s+add|yarn\s+add|pip3?\s+install)\s+[^`\n]+)`/gi;
const PACKAGE_OF_INSTALL =
  /\s(?:i|install|add|get)\s+(?:-{1,2}[\w-]+\s+)*((?:@[a-z0-9~][\w.~-]*\/)?[a-z0-9~][\w.~-]*)(?:@[\w.^~$-]+)?/i;
/** A README with more install lines is a catalogue. */
const MAX_INSTALLS = 50;

const LICENSES: [pattern: RegExp, id: string][] = [
  [/\bApache(?:[- ]?(?:Licen[cs]e)?,?\s*(?:Version|v)?[- ]?2(?:\.0)?)?\b/i, 'Apache-2.0'],
  [/\bBSD[- ]?2[- ]?Clause\b|\b(?:2-clause|simplified) BSD\b/i, 'BSD-2-Clause'],
  [/\bBSD[- ]?3[- ]?Clause\b|\b(?:3-clause|new) BSD\b/i, 'BSD-3-Clause'],
  [/\b0BSD\b/i, '0BSD'],
  [/\bBSD\b/, 'BSD'],
  [/\bISC\b|Permission to use, copy, modify, and(?:\/or)? distribute this software/, 'ISC'],
  [/\bMPL[- ]?2(?:\.0)?\b|\bMozilla Public Licen[cs]e\b/i, 'MPL-2.0'],
  [/\bAGPL[- ]?(?:v?3)?\b/i, 'AGPL-3.0'],
  [/\bLGPL[- ]?(?:v?3)?\b/i, 'LGPL-3.0'],
  [/\bGPL[- ]?(?:v?3)?\b/i, 'GPL-3.0'],
  [/\bCC0\b/i, 'CC0-1.0'],
  [/\bUnlicense\b/i, 'Unlicense'],
  [/\bBlueOak-1\.0\.0\b/i, 'BlueOak-1.0.0'],
  [/\bMIT\b|Permission is hereby granted, free of charge/, 'MIT'],
];

/** The license named first in `text`, by its SPDX id. */
function licenseIn(text: string): string | undefined {
  const found = LICENSES.flatMap(([pattern, id]) => {
    const at = text.search(pattern);
    return at < 0 ? [] : [{ at, id }];
  });
  found.sort((a, b) => a.at - b.at);
  return found[0]?.id;
}

/** The license by its SPDX id, from the License section, a sentence or a badge. */
export function findLicense({ markdown, text }: Document): string | undefined {
  const section = sectionUnder(markdown, /^\W*licen[cs]e\b/i);
  const inSection = section && licenseIn(section.lines.join('\n'));
  if (inSection) return inSection;
  const heading = markdown.headings.find(({ text: words }) => /licen[cs]e/i.test(words) && licenseIn(words));
  if (heading) return licenseIn(heading.text);
  const sentence = /(?:licen[cs]ed?(?: under| with)?|released under|distributed under)\b[^.\n]{0,80}/gi;
  for (const [words] of text.matchAll(sentence)) {
    const id = licenseIn(words);
    if (id) return id;
  }
  const before = /\b(MIT|ISC|BSD|Apache(?:[- ]2(?:\.0)?)?|MPL[- ]2\.0)[- ]licen[cs]e/i.exec(text)?.[0];
  const badge = /licen[cs]e[-_/=][\w.%-]{0,40}|opensource\.org\/licenses?\/[\w.-]{1,20}/i.exec(text)?.[0];
  return licenseIn(before ?? '') ?? licenseIn((badge ?? '').replaceAll('--', '-').replaceAll(/[_%]/g, ' '));
}

/** True where `line` is a command that installs something. */
export function isInstallCommand(line: string): boolean {
  return INSTALL_LINE.test(line.trim());
}

/** What an install command installs, without its version. */
export function installedPackage(command: string): string | undefined {
  return PACKAGE_OF_INSTALL.exec(` ${command}`)?.[1];
}

/** A name without what differs between a title and a package: case, scope, spaces, punctuation. */
export function bareName(name: string): string {
  return name
    .toLowerCase()
    .replace(/^@[^/]+\//, '')
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

/** The first command that installs what the first heading names, else the first that installs anything. */
export function findInstallCommand({ markdown, text }: Document): string | undefined {
  const commands = markdown.lines.flatMap((line, index) => {
    const command = markdown.code[index] ? INSTALL_LINE.exec(line.trim())?.[1] : undefined;
    return command ? [command.trim()] : [];
  });
  for (const [, command] of text.matchAll(INLINE_INSTALL)) if (command) commands.push(command.trim());
  const title = bareName(markdown.headings[0]?.text ?? '');
  const own = commands.slice(0, MAX_INSTALLS).find((command) => {
    const name = bareName(installedPackage(command) ?? '');
    return name.length > 0 && title.startsWith(name);
  });
  return own ?? commands[0];
}

/** Every web address in the text, once, in order, at most 100. */
export function findLinks({ text }: Document): string[] {
  const links = new Set<string>();
  for (const [match] of text.matchAll(/\bhttps?:\/\/[^\s<>"'`\])}|\\^]+/g)) {
    if (links.size >= MAX_LINKS) break;
    const link = match.replace(/[.,;:!?*_~(]+$/, '');
    if (URL.canParse(link)) links.add(link);
  }
  return [...links];
}
