/** Waiting for a condition, with a bound: the one way tests wait for what gives no signal. */

const EVERY_MS = 20;

/**
 * Resolves with the first result of `check` that is neither undefined, null nor false.
 * @throws what the check threw last, or that the condition `what` did not come true within `ms`.
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  ms = 20_000,
): Promise<T> {
  const end = Date.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const result = await check();
      if (result !== undefined && result !== null && result !== false) return result;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw last ?? new Error(`within ${ms} ms it did not come true that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
