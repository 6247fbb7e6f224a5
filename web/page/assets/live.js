// Shows whether the page is live. Old data must never look healthy, so the style sheet removes the colours of a page that is
// not live.
import { setText } from "./dom.js";
import { absolute } from "./format.js";

export class Live {
  #text = document.getElementById("live-text");
  #fresh = null; // time of the last answer, by the clock of the server

  /** now returns the time of the server. */
  constructor(now) {
    this.now = now;
  }

  /** The stream is connected, and everything that the page shows was read after that. */
  ok() {
    document.body.className = "live";
    setText(this.#text, "Live");
    this.fresh();
  }

  /** The server has answered. */
  fresh() {
    this.#fresh = new Date(this.now());
  }

  /** The stream is not connected. The page shows the data of the last answer. */
  lost() {
    document.body.className = "lost";
    setText(this.#text, this.#fresh
      ? `Not live: showing the data of ${absolute(this.#fresh)}. Reconnecting…`
      : "Not live: the server does not answer. Reconnecting…");
  }
}
