// The pages about hosts. The server makes them whole; this script replaces their content by what the server says now.
import { showAlerts } from "./alerts.js";
import { API, address } from "./api.js";
import { become, setText, tickAll } from "./dom.js";
import { showEvents } from "./events.js";
import { Live } from "./live.js";
import { Pace } from "./pace.js";
import { Stream } from "./stream.js";

const shownEvents = 50;
const host = new URLSearchParams(location.search).get("host") ?? "";
const place = (id) => document.getElementById(id);

class HostsPage {
  #api = new API();
  #live = new Live(() => this.#api.now());
  #pace = new Pace(() => this.#read());
  #reads = 0; // how many were begun

  constructor() {
    setInterval(() => tickAll(this.#api.now()), 1000);
    new Stream({
      opened: () => this.#opened(),
      event: (type, e) => this.#pace.add(e.source, type !== "poll"),
      lost: () => this.#live.lost(),
      check: () => this.#read(),
    });
    const search = place("search");
    if (!search) return;
    search.hidden = false;
    search.addEventListener("submit", (e) => e.preventDefault());
    search.addEventListener("input", () => this.#search(search.elements.q.value));
  }

  async #opened() {
    await this.#read();
    this.#live.ok();
  }

  /** Reads the page again. If a later read has begun meanwhile, its answer counts. */
  async #read() {
    const read = ++this.#reads;
    await this.#api.sources(); // It has the time of the server.
    const response = await fetch(location.href, { signal: AbortSignal.timeout(10000) });
    if (!response.ok && response.status !== 404) throw new Error(`the server answered with status ${response.status}`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const news = place("news") && response.ok ? await this.#readNews() : null;
    if (read === this.#reads) {
      this.#show(page);
      this.#showNews(news);
    }
    this.#live.fresh();
  }

  /** Reads the alerts and events of the host. */
  #readNews() {
    return Promise.all([this.#api.get("alerts", { host }, 5000), this.#api.get("events", { host, limit: shownEvents })]);
  }

  /** Shows the alerts and events of the host, on its page. A host that does not exist has none. */
  #showNews(news) {
    if (!place("news")) return;
    place("news").hidden = !news;
    if (!news) return;
    const [alerts, { events }] = news;
    showAlerts(place("alerts"), alerts, this.#api.now(), { about: " about this host" });
    showEvents(place("events"), events, this.#api.now());
  }

  /** Shows another content. What has the focus keeps it, and a link that has moved takes it with it. */
  #show(page) {
    const view = place("view");
    const focused = view.contains(document.activeElement) ? document.activeElement : null;
    const address = focused?.href;
    become(view, page.getElementById("view"));
    tickAll(this.#api.now());
    if (focused && (!focused.isConnected || focused.href !== address)) {
      [...view.querySelectorAll("a")].find((a) => a.href === address)?.focus({ preventScroll: true });
    }
    if (document.title !== page.title) document.title = page.title;
    setText(place("announcer"), view.querySelector("h1").textContent);
  }

  #search(q) {
    const parameters = Object.fromEntries(new URLSearchParams(location.search));
    history.replaceState(null, "", address("hosts", { ...parameters, q, page: "" }));
    this.#read().catch(() => this.#live.lost());
  }
}

new HostsPage();
