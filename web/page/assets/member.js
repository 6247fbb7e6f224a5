// The page of one member: its state, its attributes and its events.
import { dashboardAddress, runbookAddress, showAlerts } from "./alerts.js";
import { API, address } from "./api.js";
import { ago, element, setText, tickAll } from "./dom.js";
import { showEvents } from "./events.js";
import { absolute, brief, measured, parse } from "./format.js";
import { Live } from "./live.js";
import { Pace } from "./pace.js";
import { badge, heartbeatAge, hostAddress } from "./rows.js";
import { health, runbook } from "./sources.js";
import { answersText, atLeast, causeText, notes } from "./store.js";
import { Stream } from "./stream.js";

const place = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const asked = Object.fromEntries(["source", "group", "member"].map((name) => [name, query.get(name) ?? ""]));

class MemberPage {
  #api = new API();
  #live = new Live(() => this.#api.now());
  #pace = new Pace(() => this.#read());

  constructor() {
    setText(place("name"), asked.member || "No member");
    document.title = `${brief(asked.member) || "No member"} · Service groups`;
    setInterval(() => tickAll(this.#api.now()), 1000);
    new Stream({
      filter: { source: asked.source },
      opened: () => this.#opened(),
      event: (type, e) => this.#pace.add(e.source, type !== "poll"),
      lost: () => this.#live.lost(),
      check: () => this.#read(),
    });
  }

  async #opened() {
    await this.#read();
    this.#live.ok();
  }

  async #read() {
    const sources = await this.#api.sources();
    try {
      const { member, events } = await this.#api.get("member", asked);
      const { source, group, member: name } = member;
      const alerts = await this.#api.get("alerts", { source, group, member: name }, 5000);
      this.#show(member, events, sources.find((s) => s.source === source), alerts);
    } catch (error) {
      if (!error.status) throw error; // There was no answer.
      this.#missing(error);
    }
    this.#live.fresh();
  }

  /** Shows that the server has answered with an error. */
  #missing(error) {
    const why = error.status === 404 ? "This member does not exist (any more)" : "This member can't be shown";
    place("known").hidden = true;
    place("verdict").className = "verdict unknown";
    setText(place("state"), `${why}: ${error.message}`);
    this.#links(asked);
  }

  #show(member, events, source, alerts) {
    const now = this.#api.now();
    const trusted = source && health(source) === "up";
    const m = trusted ? member : { ...member, state: "unknown" };
    place("verdict").className = `verdict ${m.state}`;
    this.#state(m, source, trusted, now);
    place("known").hidden = false;
    this.#links(m, alerts.grafana_url, source && runbook(source));
    showAlerts(place("alerts"), alerts, now, { about: " about this member" });
    this.#facts(m, now);
    setText(place("labels"), labels(m));
    showEvents(place("events"), events, now, false);
  }

  #state(m, source, trusted, now) {
    const why = trusted ? [causeText(m), answersText(m), notes(m)].filter(Boolean).join("; ") : `source ${brief(m.source)} ${source?.error ? `can't be read: ${source.error}` : "was not read recently"}`;
    const fresh = element("p", { id: "state" }, badge(m.state), " for ", ago(parse(m.since), now, "", atLeast(m)), why ? ` · ${why}` : "");
    setText(place("announcer"), m.state); // The line itself changes every second.
    tickAll(now);
    if (!place("state").isEqualNode(fresh)) place("state").replaceChildren(...fresh.childNodes);
  }

  #links(m, grafana = "", aboutSource = null) {
    place("links").hidden = false;
    place("links").replaceChildren(
      element("a", { href: address("./", { source: m.source, group: m.group }), textContent: m.group ? `All of group ${brief(m.group)}` : "All members" }),
      element("a", { href: address("./", { state: "down" }), textContent: "All members that are down" }),
      ...(m.down ? [element("a", { href: runbookAddress("ServiceGroupMemberDown"), textContent: "Runbook: a member is down" })] : []),
      ...(aboutSource ? [aboutSource] : []),
      ...(grafana ? [element("a", { href: dashboardAddress(grafana, m), textContent: "Dashboard of the group" })] : []));
  }

  #facts(m, now) {
    const facts = {
      Source: m.source, Group: m.group, Zone: m.zone, Binary: m.binary,
      Host: m.host ? element("a", { className: "name", href: hostAddress(m), textContent: m.host }) : "",
      [m.since_known === false ? "Down at least since" : "Since"]: time(parse(m.since), now),
      "Last heartbeat": heartbeat(m),
      "Reporting interval": m.reporting_interval_seconds === undefined ? "" : measured(m.reporting_interval_seconds),
      "Suspected since": m.suspected ? time(parse(m.suspected_since), now) : "",
      "Can't be suspected": reasons[m.not_suspected] ?? "",
      Enabled: yesOrNo(m.enabled), "Disabled because": m.disabled_reason, "Forced down": yesOrNo(m.forced_down),
      Version: m.version, UUID: m.uuid, "Deaths and recoveries": String(m.transitions),
    };
    const given = Object.entries(facts).filter(([, value]) => value);
    place("facts").replaceChildren(...given.flatMap(([name, value]) => [
      element("div", {}, element("dt", { textContent: name }), element("dd", {}, value)),
    ]));
  }
}

/** Why a member can't be suspected. A member that is not up needs no reason. */
const reasons = {
  off: "the configuration turns suspicion off",
  no_heartbeats: "its backend keeps no heartbeats",
  learning: "fewer than 3 gaps between its heartbeats are known",
  irregular: "its heartbeats are not regular",
  interval_too_long: "the service's own rule calls it down earlier",
  probation: "it was suspected by mistake, and has not had 3 regular gaps since",
  sole_member: "no other member of its source reports, so that a stall would look the same",
};

/** A time, and how long ago it was. */
function time(at, now) {
  return element("span", {}, `${absolute(new Date(at))} · `, ago(at, now, " ago"));
}

/** The time of the last heartbeat by the clock of the backend, and its age at the last poll. */
function heartbeat(m) {
  if (!m.last_heartbeat) return "";
  const age = heartbeatAge(m);
  return absolute(new Date(parse(m.last_heartbeat))) + (age ? ` · ${age} old when it was read` : "");
}

const yesOrNo = (flag) => (flag === undefined ? "" : flag ? "yes" : "no");

/** The selector of the service_up series of the member. */
function labels(m) {
  const quoted = ["source", "group", "member", "binary", "zone"].map((name) => `${name}=${JSON.stringify(m[name])}`);
  return `service_up{\n  ${quoted.join(",\n  ")}\n}`;
}

new MemberPage();
