/** The page for what cannot be shown: what is wrong, and the way back. */
import { html } from '../html.ts';
import { documentOf } from './layout.ts';

const TITLES: Readonly<Record<number, string>> = {
  404: 'Not found',
  503: 'Not now',
};

export function problemPage(problem: { status: number; message: string; version: string }): string {
  const title = TITLES[problem.status] ?? 'Something went wrong';
  return documentOf({
    title: `${title} · Millrace`,
    version: problem.version,
    main: html`<h1>${title}</h1>
<p class="lead"><bdi>${problem.message}</bdi></p>
<p><a href="/">To the overview</a></p>`,
  });
}
