// The rows of one page of members. Rows are as high as their names need.
import { reconcile } from "./dom.js";

/**
 * The Tab key reaches exactly one row, the active one; other keys move it. An element stays with its member when rows move.
 */
export class Grid {
  #items = [];
  #active = ""; // key of the active row
  #chosen = false; // whether the user has chosen the active row; otherwise it is the first row

  /** make creates a row, fill shows a member in it, open opens the page of a member. */
  constructor(grid, { make, fill, open }) {
    Object.assign(this, { grid, make, fill, open });
    this.body = grid.querySelector(".grid-body");
    this.body.addEventListener("keydown", (e) => this.#key(e));
    this.body.addEventListener("focusin", (e) => this.#activate(e.target.closest(".row")?.dataset.key));
  }

  /** Shows these members, in this order. They are a part of a list: first is the index of the first of them, total its length. */
  show(items, first, total) {
    this.#items = items;
    this.#chosen &&= items.some((m) => m.key === this.#active);
    if (!this.#chosen) this.#active = items[0]?.key ?? "";
    this.grid.setAttribute("aria-rowcount", total + 1);
    reconcile(this.body, items, (m) => m.key, this.make, (row, m) => this.fill(row, m));
    for (const [i, row] of [...this.body.children].entries()) {
      row.ariaRowIndex = first + i + 2; // The head is row 1.
      row.tabIndex = items[i].key === this.#active ? 0 : -1;
    }
  }

  #activate(key) {
    if (!key) return;
    this.#chosen = true;
    this.#active = key;
    for (const [i, row] of [...this.body.children].entries()) row.tabIndex = this.#items[i].key === key ? 0 : -1;
  }

  #key(e) {
    const now = this.#items.findIndex((m) => m.key === this.#active);
    if (now < 0 || e.altKey || e.ctrlKey || e.metaKey) return;
    const most = this.#items.length - 1;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -now, End: most };
    if (e.key === "Enter" && e.target.classList.contains("row")) this.open(this.#items[now]);
    else if (e.key in steps) this.body.children[Math.min(Math.max(now + steps[e.key], 0), most)].focus();
    else return;
    e.preventDefault();
  }
}
