// Decides when to read again: soon after an event, otherwise at longer intervals, and never so often that reading slows down
// the page or the server.

// The minimum time from the end of one read to the next: in milliseconds, and as a multiple of the time that the last read took.
const urgent = { least: 200, times: 4 };
const usual = { least: 1000, times: 20 };

export class Pace {
  #sources = new Set();
  #timer = 0;
  #due = Infinity;
  #ended = 0; // when the last read ended
  #took = 0; // milliseconds that the last read took
  #reading = false;

  /** read reads the given sources. Its failures are handled by the stream, which checks the connection. */
  constructor(read) {
    this.read = read;
  }

  /** Schedules another read of a source. */
  add(source, soon) {
    const { least, times } = soon ? urgent : usual;
    this.#sources.add(source);
    this.#due = Math.min(this.#due, this.#ended + Math.max(least, times * this.#took));
    this.#schedule();
  }

  #schedule() {
    if (this.#reading || this.#due === Infinity) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), Math.max(0, this.#due - performance.now()));
  }

  async #run() {
    const sources = [...this.#sources];
    const began = performance.now();
    this.#sources.clear();
    this.#due = Infinity;
    this.#reading = true;
    try {
      await this.read(sources);
    } catch {
      for (const source of sources) this.#sources.add(source); // These sources are read with the next ones.
    }
    this.#reading = false;
    this.#ended = performance.now();
    this.#took = this.#ended - began;
    this.#due = Math.min(this.#due, this.#sources.size ? this.#ended + Math.max(usual.least, usual.times * this.#took) : Infinity);
    this.#schedule();
  }
}
