// The JSON API beside the page.

/** Where a request goes; parameters that are empty are left out. */
export function address(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  return query.size ? `${path}?${query}` : path;
}

/** The API, and what its answers tell of the server's clock. */
export class API {
  #offset = 0; // of the server's clock to this browser's, in milliseconds

  /** The time by the server's clock. Ages must not depend on how right the reader's clock is. */
  now() {
    return Date.now() + this.#offset;
  }

  /** Asks for a path under api/v1/. Fails with the API's own words, with its status, or when it takes too long. */
  async get(path, parameters, timeout = 10000) {
    const response = await fetch(address(`api/v1/${path}`, parameters), { signal: AbortSignal.timeout(timeout) });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) {
      throw Object.assign(new Error(answer.error ?? `the answer's status is ${response.status}`), { status: response.status });
    }
    return answer;
  }

  /** Asks for the sources. How old their last success is by the server's clock tells what time it is there. */
  async sources(timeout) {
    const { sources } = await this.get("sources", {}, timeout);
    const clock = sources.find((s) => s.last_success);
    if (clock) this.#offset = Date.parse(clock.last_success) + clock.age_seconds * 1000 - Date.now();
    return sources;
  }
}
