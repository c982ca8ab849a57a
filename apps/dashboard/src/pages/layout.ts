/** The frame every page stands in: the head, the way around, the main part. */
import { formatTime } from '../format.ts';
import { type Html, html } from '../html.ts';

export interface Page {
  title: string;
  /** Dates the static files and the page itself. */
  version: string;
  /** The address of the page in the navigation, when it is one of it. */
  here?: string;
  /** Beside the navigation. */
  status?: Html;
  main: Html;
  /** The page keeps itself up to date by dashboard.js: the address of its events. */
  events?: string;
}

const NAVIGATION = [
  { href: '/', text: 'Overview' },
  { href: '/flows', text: 'Flows' },
  { href: '/board/', text: 'bull-board' },
];

/** A whole document. */
export function documentOf(page: Page): string {
  const links = NAVIGATION.map(
    ({ href, text }) => html`<li><a href="${href}"${page.here === href && html` aria-current="page"`}>${text}</a></li>`,
  );
  const body = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${page.title}</title>
<link rel="icon" type="image/svg+xml" href="/public/favicon.svg?v=${page.version}">
<link rel="stylesheet" href="/public/dashboard.css?v=${page.version}">
${page.events !== undefined && html`<script defer src="/public/dashboard.js?v=${page.version}"></script>`}
</head>
<body data-page="${page.version}"${page.events !== undefined && html` data-events="${page.events}"`}>
<a class="skip" href="#main">Skip to content</a>
<header class="top">
<a class="brand" href="/"><img src="/public/favicon.svg?v=${page.version}" alt="" width="22" height="22">Millrace</a>
<nav aria-label="Main"><ul>${links}</ul></nav>
${page.status ?? null}
</header>
<main id="main">
${page.main}
</main>
</body>
</html>
`;
  return body.toString();
}

/** Where dashboard.js says how fresh the figures are; without script, when they were read. */
export function liveState(at: number): Html {
  return html`<p class="live" id="live" role="status"><noscript>as of ${formatTime(at)}</noscript></p>`;
}
