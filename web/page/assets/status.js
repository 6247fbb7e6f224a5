// The status page: reads the API and shows its answers.
import { API } from "./api.js";
import { showAlerts } from "./alerts.js";
import { Announcer } from "./announcer.js";
import { setText, tickAll } from "./dom.js";
import { showEvents } from "./events.js";
import { Filters } from "./filters.js";
import { count, number } from "./format.js";
import { Grid } from "./grid.js";
import { showGroups } from "./groups.js";
import { showDetection } from "./histogram.js";
import { Live } from "./live.js";
import { Pace } from "./pace.js";
import { showOrder, showPages } from "./pages.js";
import { fillRow, makeRow, memberAddress } from "./rows.js";
import { pageOf, readFilter, select, survey, wantsGroup } from "./select.js";
import { health, showSources } from "./sources.js";
import { Store } from "./store.js";
import { Stream } from "./stream.js";
import { showVerdict } from "./verdict.js";

const shownEvents = 30;
const shownAlerts = 10;
const place = (id) => document.getElementById(id);

class Status {
  #api = new API();
  #live = new Live(() => this.#api.now());
  #store = new Store();
  #announcer = new Announcer(place("announcer"));
  #sources = [];
  #events = [];
  #detections = [];
  #alerts = { sends: false, alertmanagers: [], alerts: [], total: 0, grafana_url: "" };
  #missed = []; // events that arrived during a read of the members, and may be newer than its answer
  #drawing = false;
  #pace = new Pace((sources) => this.#read(sources));
  #filters = new Filters(place("filters"), () => this.#filtered());
  #grid = new Grid(place("grid"), {
    make: makeRow,
    fill: (row, member) => fillRow(row, member, this.#context),
    open: (member) => location.assign(memberAddress(member)),
  });
  #context = { now: 0, withSource: false, sends: false };

  constructor() {
    place("groups").addEventListener("click", (e) => this.#clickedGroup(e));
    for (const name of ["grid", "pages"]) place(name).addEventListener("click", (e) => this.#clickedOrder(e));
    showOrder(place("grid"), this.#filters.value);
    setInterval(() => tickAll(this.#api.now()), 1000);
    new Stream({
      opened: () => this.#opened(),
      event: (type, e) => this.#event(type, e),
      lost: () => this.#live.lost(),
      check: () => this.#check(),
    });
  }

  async #opened() {
    this.#sources = await this.#api.sources();
    this.#store.keep(this.#sources.map((s) => s.source));
    await Promise.all([this.#read(this.#sources.map((s) => s.source)), this.#readEvents()]);
    this.#live.ok();
  }

  /** Reads the members of some sources, all sources, and the detection latencies. */
  async #read(names) {
    this.#missed = [];
    const [sources, { detection }] = await Promise.all([this.#api.sources(), this.#api.get("detection"), this.#readAlerts()]);
    for (const name of names.filter((n) => sources.some((s) => s.source === n))) {
      const { members } = await this.#api.get("members", { source: name });
      this.#store.replace(name, members);
    }
    for (const e of this.#missed) this.#store.apply(e);
    this.#detections = detection;
    this.#know(sources);
    this.#live.fresh();
    this.#draw();
  }

  /** Stores the sources. The members of a source that was not read recently become unknown. */
  #know(sources) {
    this.#sources = sources;
    for (const s of sources) if (health(s) !== "up") this.#store.doubt(s.source);
  }

  /** Reads the alerts, regardless of the filters. */
  async #readAlerts() {
    this.#alerts = await this.#api.get("alerts", { limit: new URLSearchParams(location.search).has("alerts") ? "" : shownAlerts }, 5000);
  }

  async #readEvents() {
    const { source, group } = this.#filters.value;
    this.#events = (await this.#api.get("events", { source, group, limit: shownEvents })).events;
    this.#draw();
  }

  /** Throws an error if the server does not answer. Also updates the title of a hidden page. */
  async #check() {
    const [sources] = await Promise.all([this.#api.sources(5000), this.#readAlerts()]);
    this.#know(sources);
    if (!document.hidden) this.#draw();
    else this.#title(this.#sources.reduce((n, s) => n + s.members_down, 0));
  }

  #event(type, e) {
    if (type !== "poll") {
      this.#missed.push(e);
      this.#store.apply(e);
      this.#announcer.add(e);
      if (wantsGroup(this.#filters.value, e)) this.#events = [e, ...this.#events].slice(0, shownEvents);
      this.#draw();
    }
    this.#pace.add(e.source, type !== "poll");
  }

  #filtered() {
    showOrder(place("grid"), this.#filters.value); // Not in the next frame: a second click may come before it.
    this.#draw();
    const { source, group } = this.#filters.value;
    const scope = JSON.stringify([source, group]);
    if (scope === this.scope) return;
    this.scope = scope;
    this.#readEvents().catch(() => this.#live.lost());
  }

  #clickedGroup(e) {
    const link = e.target.closest("a");
    if (!link || e.button || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    const current = link.getAttribute("aria-current");
    const query = new URL(link.href).searchParams;
    this.#filters.set(current ? { source: "", group: "" } : { source: query.get("source"), group: query.get("group") }, true);
  }

  /** Links to an order or a page of members work without a reload. */
  #clickedOrder(e) {
    const link = e.target.closest("#pages a, a[data-sort]");
    if (!link || e.button || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    this.#filters.set(readFilter(new URL(link.href).search), true);
    if (link.closest("#pages")) place("members").scrollIntoView();
  }

  /** Draws the page in the next frame of the browser. */
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#drawNow();
    });
  }

  #drawNow() {
    const now = this.#api.now();
    const filter = this.#filters.value;
    const { groups, zones, has, down, aside } = survey(this.#store.all());
    const severalSources = this.#sources.length > 1;
    const withSource = severalSources && !filter.source;
    this.#context = { now, withSource, sends: this.#alerts.sends };
    this.#filters.offer({ sources: this.#sources.map((s) => s.source), groups, zones });
    const { list, counts, total } = select(this.#store.all(), filter);
    showVerdict(place("verdict"), { sources: this.#sources, groups, down, aside, total, now });
    showAlerts(place("alerts"), this.#alerts, now, { more: "./?alerts=all#alerts" });
    showSources(place("sources"), this.#sources, now);
    showGroups(place("groups"), groups, filter, severalSources);
    this.#filters.count(counts);
    this.#drawMembers(list, total, has);
    showEvents(place("events"), this.#events, now);
    showDetection(place("detection"), this.#detections.filter((d) => wantsGroup(filter, d)));
    this.#title(down.length);
  }

  #drawMembers(list, total, has) {
    for (const [column, used] of Object.entries(has)) place("grid").classList.toggle(`no-${column}`, !used);
    place("grid").hidden = !list.length;
    const part = pageOf(list, this.#filters.value);
    this.#grid.show(part.items, part.first, part.total);
    showPages(place("pages"), this.#filters.value, part);
    setText(place("members-count"), list.length === total ? number(total) : `${number(list.length)} of ${count(total, "member")}`);
    place("clear").hidden = !this.#filters.size;
    place("none").hidden = list.length > 0;
    setText(place("none"), total ? "No member matches these filters." : "There are no members yet.");
  }

  #title(down) {
    document.title = `${down ? `(${number(down)} down) ` : ""}Service groups`;
  }
}

new Status();
