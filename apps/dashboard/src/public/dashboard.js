/**
 * Keeps an open page in step with its server. The server sends, as server-sent events, the parts of the page that
 * changed, rendered and escaped as in the page itself; this puts each into the element whose `data-live` names it.
 * It says when the figures are no longer fresh, and asks for nothing while the page is hidden.
 */

/** The server tells something every second: after this long without a word the figures are old. */
const STALE_MS = 5000;
/** A refused stream is not opened again by the browser itself. */
const RECONNECT_MS = 3000;
/** A page this young that already differs from its server would only reload in circles. */
const RELOAD_AFTER_MS = 10_000;

const SECOND_MS = 1000;
const UNITS = [
  { ms: 86_400_000, name: 'd' },
  { ms: 3_600_000, name: 'h' },
  { ms: 60_000, name: 'min' },
  { ms: SECOND_MS, name: 's' },
];

const state = document.getElementById('live');
const { page: shownVersion, events = '/events' } = document.body.dataset;

/** @type {EventSource | null} */
let source = null;
let reconnect = 0;
let heardAt = Date.now();
/** The server's clock minus ours. */
let skewMs = 0;

/** Says how fresh the figures are; only a change is written, because it is read aloud. */
function say(kind, text) {
  if (state === null || state.textContent === text) return;
  state.className = `live ${kind}`;
  state.textContent = text;
}

function sayLost() {
  say('lost', `connection lost, trying again · figures as of ${new Date(heardAt).toLocaleTimeString()}`);
}

/** Puts new markup into a region; a link that had the focus has it again. */
function replace(region, markup) {
  const focused = region.contains(document.activeElement) ? document.activeElement?.getAttribute('href') : null;
  region.innerHTML = markup;
  if (!focused) return;
  for (const link of region.querySelectorAll('a')) if (link.getAttribute('href') === focused) link.focus();
}

function receive(event) {
  const { at, page, regions } = JSON.parse(event.data);
  if (page !== shownVersion && performance.now() > RELOAD_AFTER_MS) {
    location.reload();
    return;
  }
  heardAt = Date.now();
  skewMs = at - heardAt;
  for (const region of document.querySelectorAll('[data-live]')) {
    const markup = regions[region.getAttribute('data-live') ?? ''];
    if (markup !== undefined) replace(region, markup);
  }
  say('fresh', 'live');
  writeAges();
}

function connect() {
  clearTimeout(reconnect);
  source?.close();
  source = new EventSource(events);
  source.onmessage = receive;
  source.onerror = () => {
    sayLost();
    if (source?.readyState === EventSource.CLOSED) reconnect = setTimeout(connect, RECONNECT_MS);
  };
}

function disconnect() {
  clearTimeout(reconnect);
  source?.close();
  source = null;
}

function writeAges() {
  const now = Date.now() + skewMs;
  for (const time of document.querySelectorAll('time[data-ago]')) {
    const past = Math.max(0, now - Date.parse(time.getAttribute('datetime') ?? ''));
    const unit = UNITS.find(({ ms }) => past >= ms) ?? UNITS[UNITS.length - 1];
    const text = `${Math.floor(past / unit.ms)} ${unit.name} ago`;
    if (time.textContent !== text) time.textContent = text;
  }
}

setInterval(() => {
  if (document.hidden) return;
  writeAges();
  if (Date.now() - heardAt > STALE_MS) sayLost();
}, SECOND_MS);

document.addEventListener('visibilitychange', () => {
  if (document.hidden) disconnect();
  else connect();
});
if (!document.hidden) connect();
