// Says whether what the page shows is live. What is not must never look healthy: the page's style takes the colours away.
import { setText } from "./dom.js";
import { absolute } from "./format.js";

export class Live {
  #text = document.getElementById("live-text");
  #fresh = null; // when something was last read

  /** The stream is there, and everything that is shown was read since. */
  ok() {
    document.body.className = "live";
    setText(this.#text, "Live");
    this.fresh();
  }

  /** Something was just read. */
  fresh() {
    this.#fresh = new Date();
  }

  /** The stream is not there. What is shown is as old as the last time that something was read. */
  lost() {
    document.body.className = "lost";
    setText(this.#text, this.#fresh
      ? `Not live: what is shown is of ${absolute(this.#fresh)}. Connecting again…`
      : "Not live: the server does not answer. Connecting again…");
  }
}
