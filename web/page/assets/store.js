// The members as the API and the events describe them.
import { measured, parse } from "./format.js";

/** The states, from worst to best. */
export const states = ["down", "unknown", "up"];

/** Why a member is down, in words; "" if that is not known. */
export const causeText = (m) => ({ host: "host down", process: "process died, host reports" })[m.down && m.cause] ?? "";

/** Whether the host of a member that is down answers by another way than heartbeats, in words; "" if no Prometheus is asked. */
export const answersText = (m) => (m.down && m.host_answers ? `host answers: ${m.host_answers}` : "");

/** A unique key of a member. */
export const keyOf = (m) => JSON.stringify([m.source, m.group, m.member]);

/** The administrative state of a member, in words, and whether it was down when its state was last known. */
export function notes(m) {
  const words = m.down && m.state === "unknown" ? ["down when last known"] : [];
  if (m.suspected) words.push(`suspected: heartbeat overdue by ${measured(m.overdue_seconds)}`);
  if (m.forced_down) words.push(m.fenced ? "forced down after it died" : "forced down");
  if (m.enabled === false) words.push(m.disabled_reason ? `disabled: ${m.disabled_reason}` : "disabled");
  return words.join("; ");
}

// The state of a member after an event.
const becomes = { death: "down", forced_down: "down", recovery: "up", forced_up: "up" };

export class Store {
  #sources = new Map(); // name of a source → its members by key, in the API's order

  /** All members, source by source. */
  *all() {
    for (const members of this.#sources.values()) yield* members.values();
  }

  /** Stores the answer of the API with all members of a source. */
  replace(source, answer) {
    const old = this.#sources.get(source);
    const members = new Map();
    for (const m of answer) {
      const key = keyOf(m);
      const known = old?.get(key) ?? {};
      members.set(key, takeIn(known, key, m));
    }
    this.#sources.set(source, members);
  }

  /** Removes all sources except these. */
  keep(names) {
    for (const name of this.#sources.keys()) if (!names.includes(name)) this.#sources.delete(name);
  }

  /** Makes all members of a source unknown, because the source can't be read or was not read recently. Members that were down stay so. */
  doubt(source) {
    for (const m of this.#sources.get(source)?.values() ?? []) m.state = "unknown";
  }

  /** Applies an event at once. The next answer of the API has the other attributes. */
  apply(e) {
    const members = this.#sources.get(e.source);
    if (!members) return;
    if (e.event === "source_lost") {
      this.doubt(e.source);
      return;
    }
    const key = e.member === undefined ? "" : keyOf(e);
    if (e.event === "leave" || e.event === "forgotten") members.delete(key);
    const m = members.get(key);
    if (!m || !becomes[e.event] || parse(e.time) < m.at) return;
    // A member that died is down since its last proof of life.
    const at = parse(e.time) - (e.event === "death" ? (e.latency_seconds ?? 0) * 1000 : 0);
    const isKnown = e.event === "death" ? e.latency_seconds !== undefined : undefined;
    Object.assign(m, { state: becomes[e.event], at, since_known: isKnown });
    if (e.event === "death") m.down = m.in_service;
    if (m.state === "up") m.down = false;
  }
}

// The attributes that an answer leaves out if the backend does not have them.
const absent = { cause: undefined, host_answers: undefined, since_known: undefined, last_heartbeat: undefined, heartbeat_age_seconds: undefined, enabled: undefined, forced_down: undefined, fenced: undefined, suspected_since: undefined, silent_since: undefined, overdue_seconds: undefined, reporting_interval_seconds: undefined, not_suspected: undefined };

/** What stands before the age of a state: a member without a known proof of life may have been down for longer. */
export const atLeast = (m) => (m.since_known === false ? "≥ " : "");

/** Copies a member of an answer into the stored member, and derives what filters and rows need. */
function takeIn(known, key, m) {
  if (known.since !== m.since) known.at = parse(m.since);
  if (known.last_heartbeat !== m.last_heartbeat) known.heartbeat = parse(m.last_heartbeat);
  if (known.binary !== m.binary || known.zone !== m.zone || known.disabled_reason !== m.disabled_reason) {
    known.text = [m.member, m.group, m.binary, m.zone, m.disabled_reason].join("\n").toLowerCase();
  }
  return Object.assign(known, absent, m, { key });
}
