// A client of the JSON API.

/** The address of a path with parameters. Empty parameters are left out. */
export function address(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  return query.size ? `${path}?${query}` : path;
}

/** The API, and the clock of the server as its answers show it. */
export class API {
  #offset = 0; // clock of the server minus clock of the browser, in milliseconds

  /** The time by the clock of the server, so that ages do not depend on the clock of the browser. */
  now() {
    return Date.now() + this.#offset;
  }

  /** Requests a path below api/v1/. Throws an error with the message and the status of the answer, or after a timeout. */
  async get(path, parameters, timeout = 10000) {
    const response = await fetch(address(`api/v1/${path}`, parameters), { signal: AbortSignal.timeout(timeout) });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) {
      throw Object.assign(new Error(answer.error ?? `the server answered with status ${response.status}`), { status: response.status });
    }
    return answer;
  }

  /** Requests the sources. The answer has the time of the server. */
  async sources(timeout) {
    const { now, sources } = await this.get("sources", {}, timeout);
    this.#offset = Date.parse(now) - Date.now();
    return sources;
  }
}
