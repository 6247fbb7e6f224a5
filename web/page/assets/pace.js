// When to read again: soon after something happened, else now and then, and never so often that it slows the page or the
// server down.

// Milliseconds from the end of one read to the next, at least; and how many times as long as the last read took.
const urgent = { least: 200, times: 4 };
const usual = { least: 1000, times: 20 };

export class Pace {
  #sources = new Set();
  #timer = 0;
  #due = Infinity;
  #ended = 0; // when the last read did
  #took = 0; // milliseconds
  #reading = false;

  /** read reads the sources that it is given. What fails is left to whoever watches the connection. */
  constructor(read) {
    this.read = read;
  }

  /** A source has to be read again. */
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
      for (const source of sources) this.#sources.add(source); // It is read together with the next.
    }
    this.#reading = false;
    this.#ended = performance.now();
    this.#took = this.#ended - began;
    this.#due = Math.min(this.#due, this.#sources.size ? this.#ended + Math.max(usual.least, usual.times * this.#took) : Infinity);
    this.#schedule();
  }
}
