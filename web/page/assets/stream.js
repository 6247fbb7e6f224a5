// The stream of events, and whether the page is live.
import { address } from "./api.js";

const types = [
  "death", "recovery", "join", "leave", "forced_down", "forced_up", "forgotten", "source_lost", "source_back", "poll",
];
const firstWait = 500; // milliseconds until the first try to connect again; each further one waits twice as long,
const longestWait = 8000; // up to this.
const checkEvery = 5000; // milliseconds between checks that the server still answers

/**
 * A Stream keeps a connection for as long as the page is looked at; browsers allow few at a time to one server, and
 * hidden pages would use them up.
 *
 * It calls opened when it is connected, which has to read everything anew and fails if it can't; event for each event; lost when the
 * connection is. A server that has frozen closes nothing: check is called now and then and has to fail if it gets no answer.
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

  /** Goes on after nobody looked: what is shown is old until it was read anew. */
  #resume() {
    this.lost();
    this.#connect();
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  /** Connects again later. The browser's own retries end for good at the first answer that is an error. */
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
