/** The two parts of undici that are used here; its index would load fetch, mocks, caches and WebSockets along: 13 MiB. */
declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici';
}
declare module 'undici/lib/core/errors.js' {
  import { errors } from 'undici';
  export default errors;
}
