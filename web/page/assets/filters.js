// The form of filters. The address of the page contains the filters too, so that it can be shared and alerts can link to it.
import { address } from "./api.js";
import { element, setText } from "./dom.js";
import { number } from "./format.js";
import { filterNames, readFilter } from "./select.js";

export class Filters {
  value = readFilter(location.search);

  /** changed is called when a filter changes. */
  constructor(form, changed) {
    Object.assign(this, { form, changed });
    form.addEventListener("input", () => this.#read());
    form.addEventListener("submit", (e) => e.preventDefault());
    form.querySelector("#clear").addEventListener("click", () => this.set({ ...readFilter(""), sort: this.value.sort }, true));
    window.addEventListener("popstate", () => {
      this.value = readFilter(location.search);
      this.#write();
      this.changed();
    });
  }

  /** Changes filters, and shows the first page. With step, the browser's back button undoes the change. */
  set(values, step = false) {
    this.value = { ...this.value, page: "", ...values };
    this.#write();
    this.#remember(step);
  }

  /** Sets the options to choose from. The chosen option stays, even if it does not exist (any more). */
  offer({ sources, groups, zones }) {
    const { source } = this.value;
    const names = groups.filter((g) => !source || g.source === source).map((g) => g.group);
    this.#options("source", "All sources", sources);
    this.#options("group", "All groups", names);
    this.#options("zone", "All zones", zones);
    this.form.elements.zone.parentElement.hidden = zones.length === 0 && !this.value.zone;
    this.form.elements.source.parentElement.hidden = sources.length < 2 && !source;
    this.#write();
  }

  /** Shows how many members there are in each state. */
  count(counts) {
    const all = counts.down + counts.unknown + counts.up;
    for (const radio of this.form.elements.state) {
      setText(radio.nextElementSibling.querySelector("b"), number(radio.value ? counts[radio.value] : all));
    }
  }

  /** The number of filters that are set. */
  get size() {
    return filterNames.filter((name) => this.value[name]).length;
  }

  #options(name, all, values) {
    const select = this.form.elements[name];
    const wanted = [...new Set(["", this.value[name], ...values])];
    const there = [...select.options].map((o) => o.value);
    if (wanted.length === there.length && wanted.every((value, i) => value === there[i])) return;
    select.replaceChildren(...wanted.map((value) => element("option", { value, textContent: value || all })));
  }

  #read() {
    for (const name of filterNames) this.value[name] = this.form.elements[name].value;
    this.value.page = "";
    this.#remember(false);
  }

  #write() {
    for (const name of filterNames) {
      const field = this.form.elements[name];
      if (field.value !== this.value[name]) field.value = this.value[name];
    }
    // A list of radio buttons can't be given an empty value.
    for (const radio of this.form.elements.state) radio.checked = radio.value === this.value.state;
  }

  #remember(step) {
    const where = address(location.pathname, this.value);
    if (step) history.pushState(null, "", where);
    else history.replaceState(null, "", where);
    this.changed();
  }
}
