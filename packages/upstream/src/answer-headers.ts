/** Response headers as the SDK reads them, over undici's plain object: building a platform `Headers` is what costs. */

export class AnswerHeaders {
  readonly #values: Readonly<Record<string, string | string[] | undefined>>;

  /** @param values by lower-case name. */
  constructor(values: Readonly<Record<string, string | string[] | undefined>>) {
    this.#values = values;
  }

  /** The header's value, several joined by a comma; null where there is none. */
  get(name: string): string | null {
    const key = name.toLowerCase();
    const value = Object.hasOwn(this.#values, key) ? this.#values[key] : undefined;
    return Array.isArray(value) ? value.join(', ') : (value ?? null);
  }

  /** What the SDK walks to find a request id for its log; nothing else is looked for there. */
  entries(): [string, string][] {
    const id = this.get('x-request-id');
    return id === null ? [] : [['x-request-id', id]];
  }
}

export const NO_HEADERS = new AnswerHeaders({});
