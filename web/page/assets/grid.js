// A grid for any number of members. All rows have the same height, and only visible rows are elements.
import { keepFocus } from "./dom.js";

const margin = 8; // rows beyond the visible ones, so that scrolling shows no gap

/**
 * The Tab key reaches exactly one row, the active one; other keys move it. A row that has the focus stays an element when it
 * is not visible, so that the focus is not lost. An element stays with its member when rows move.
 */
export class Grid {
  #items = [];
  #rows = new Map(); // key of a member → its element
  #active = ""; // key of the active row
  #chosen = false; // whether the user has chosen the active row; otherwise it is the first row
  #height = 0; // of a row, in pixels

  /** make creates a row, fill shows a member in it, open opens the page of a member. */
  constructor(grid, { make, fill, open }) {
    Object.assign(this, { grid, make, fill, open });
    this.body = grid.querySelector(".grid-body");
    this.space = grid.querySelector(".grid-space");
    this.body.addEventListener("scroll", () => this.render(), { passive: true });
    this.body.addEventListener("keydown", (e) => this.#key(e));
    this.body.addEventListener("focusin", (e) => this.#activate(e.target.closest(".row")?.dataset.key));
    this.body.addEventListener("focusout", () => requestAnimationFrame(() => this.render()));
    new ResizeObserver(() => this.render()).observe(this.body);
  }

  /** Shows these members, in this order. */
  show(items) {
    this.#items = items;
    this.#chosen &&= items.some((m) => m.key === this.#active);
    if (!this.#chosen) this.#active = items[0]?.key ?? "";
    this.grid.setAttribute("aria-rowcount", items.length + 1);
    this.render(true);
  }

  /** Updates which rows are elements; with all, also what the rows show. */
  render(all = false) {
    this.#height = parseFloat(getComputedStyle(this.grid).getPropertyValue("--row"));
    this.space.style.height = `${this.#items.length * this.#height}px`;
    keepFocus(this.body, () => this.#arrange(this.#wanted(), all));
  }

  #arrange(wanted, all) {
    const keys = new Set(wanted.map((i) => this.#items[i].key));
    for (const [key, row] of this.#rows) {
      if (keys.has(key)) continue;
      this.#rows.delete(key);
      row.remove();
    }
    let at = this.space.nextElementSibling;
    for (const i of wanted) {
      const row = this.#place(i, all);
      if (row === at) at = at.nextElementSibling;
      else this.body.insertBefore(row, at);
    }
  }

  /** The indices of the rows that are elements, in order. */
  #wanted() {
    const first = Math.max(0, Math.floor(this.body.scrollTop / this.#height) - margin);
    const last = Math.min(this.#items.length, Math.ceil((this.body.scrollTop + this.body.clientHeight) / this.#height) + margin);
    const wanted = [];
    for (let i = first; i < last; i++) wanted.push(i);
    const active = this.#items.findIndex((m) => m.key === this.#active);
    if (active >= 0 && active < first) wanted.unshift(active);
    else if (active >= last) wanted.push(active);
    return wanted;
  }

  #place(i, all) {
    const member = this.#items[i];
    let row = this.#rows.get(member.key);
    if (!row) {
      row = this.make(member);
      row.dataset.key = member.key;
      this.#rows.set(member.key, row);
    }
    if (all || row.parentNode === null) this.fill(row, member);
    row.ariaRowIndex = i + 2; // The head is row 1.
    row.tabIndex = member.key === this.#active ? 0 : -1;
    row.style.transform = `translateY(${i * this.#height}px)`;
    return row;
  }

  #activate(key) {
    if (!key) return;
    this.#chosen = true;
    if (key === this.#active) return;
    const old = this.#rows.get(this.#active);
    if (old) old.tabIndex = -1;
    this.#active = key;
    this.#rows.get(key).tabIndex = 0;
  }

  #key(e) {
    const now = this.#items.findIndex((m) => m.key === this.#active);
    if (now < 0 || e.altKey || e.ctrlKey || e.metaKey) return;
    const page = Math.max(1, Math.floor(this.body.clientHeight / this.#height) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -now, End: this.#items.length };
    if (e.key === "Enter" && e.target.classList.contains("row")) this.open(this.#items[now]);
    else if (e.key in steps) this.#focus(Math.min(Math.max(now + steps[e.key], 0), this.#items.length - 1));
    else return;
    e.preventDefault();
  }

  /** Moves the focus to a row, and makes the row visible. */
  #focus(i) {
    const top = i * this.#height;
    const body = this.body;
    if (top < body.scrollTop) body.scrollTop = top;
    else if (top + this.#height > body.scrollTop + body.clientHeight) body.scrollTop = top + this.#height - body.clientHeight;
    this.#active = this.#items[i].key;
    this.render();
    this.#rows.get(this.#active).focus({ preventScroll: true });
  }
}
