// The stream of events, and the check that the server still answers.
import { address } from "./api.js";

const types = [
  "death", "recovery", "join", "leave", "forced_down", "forced_up", "forgotten", "suspect", "confirm", "refute",
  "source_lost", "source_back", "poll",
];
const firstWait = 500; // milliseconds before the first reconnection; the time doubles with each further one
const longestWait = 8000; // milliseconds before any reconnection
const checkEvery = 5000; // milliseconds between checks that the server still answers

/**
 * A Stream keeps a connection while the page is visible. Browsers allow few connections to one server at a time, and hidden
 * pages would use them up.
 *
 * It calls opened when it is connected, which must read everything again and throw an error if it can't; event for each event;
 * and lost when the connection is lost. A server that hangs does not close the connection, so the stream also calls check at
 * intervals, which must throw an error if the server does not answer.
 */
export class Stream {
  #source = null;
  #timer = 0;
  #wait = firstWait;

  constructor({ filter = {}, opened, event, lost, check }) {
    Object.assign(this, { filter, opened, event, lost, check });
    setInterval(() => this.#check(), checkEvery);
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#close() : this.#resume()));
    window.addEventListener("pagehide", () => this.#close());
    window.addEventListener("pageshow", (e) => e.persisted && this.#resume());
    this.#connect();
  }

  #connect() {
    this.#close();
    const source = new EventSource(address("api/v1/events/stream", this.filter));
    this.#source = source;
    source.onopen = () => this.#opened(source);
    source.onerror = () => this.#retry();
    for (const type of types) source.addEventListener(type, (e) => this.event(type, JSON.parse(e.data)));
  }

  async #opened(source) {
    try {
      await this.opened();
      this.#wait = firstWait;
    } catch {
      if (source === this.#source) this.#retry();
    }
  }

  /** Reconnects when the page becomes visible again. The page shows old data until it has read everything again. */
  #resume() {
    this.lost();
    this.#connect();
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  /** Reconnects later. The browser's own retries stop at the first answer that is an error. */
  #retry() {
    this.#close();
    this.lost();
    this.#timer = setTimeout(() => this.#connect(), this.#wait);
    this.#wait = Math.min(2 * this.#wait, longestWait);
  }

  async #check() {
    const source = this.#source;
    try {
      await this.check();
    } catch {
      if (source && source === this.#source) this.#retry();
    }
  }
}
