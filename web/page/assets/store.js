// What is known of the members.
import { parse } from "./format.js";

/** The states, the worst first. */
export const states = ["down", "unknown", "up"];

/** A key that differs for any two members. */
export const keyOf = (m) => JSON.stringify([m.source, m.group, m.member]);

/**
 * Out of service by an operator's decision. Nova disables services by itself too; its reason then begins with "AUTO:". A
 * member that was dead before it was forced down is as dead as before.
 */
export function outOfService(m) {
  return (m.forced_down === true && !m.fenced) || (m.enabled === false && !m.disabled_reason.startsWith("AUTO:"));
}

/** Why a member is as it is, in words. */
export function notes(m) {
  const words = [];
  if (m.forced_down) words.push(m.fenced ? "forced down when dead" : "forced down");
  if (m.enabled === false) words.push(m.disabled_reason ? `disabled: ${m.disabled_reason}` : "disabled");
  return words.join("; ");
}

// What events make of a member's state.
const becomes = { death: "down", forced_down: "down", recovery: "up", forced_up: "up" };

export class Store {
  #sources = new Map(); // name of a source → its members by key, in the API's order

  /** All members, source by source. */
  *all() {
    for (const members of this.#sources.values()) yield* members.values();
  }

  /** Takes in what the API says of all members of a source. */
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

  /** Forgets sources that are no longer there. */
  keep(names) {
    for (const name of this.#sources.keys()) if (!names.includes(name)) this.#sources.delete(name);
  }

  /** Makes all members of a source unknown: it can't be read, or was not for too long. */
  doubt(source) {
    for (const m of this.#sources.get(source)?.values() ?? []) m.state = "unknown";
  }

  /** Takes in an event at once. It tells little; the next answer of the API tells the rest. */
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
    if (m && becomes[e.event] && parse(e.time) >= m.at) Object.assign(m, { state: becomes[e.event], at: parse(e.time) });
  }
}

// What an answer leaves out where the backend does not know it.
const absent = { last_heartbeat: undefined, enabled: undefined, forced_down: undefined, fenced: undefined };

/** Copies an answer into what is kept of a member, with what filters and rows need of it. */
function takeIn(known, key, m) {
  if (known.since !== m.since) known.at = parse(m.since);
  if (known.last_heartbeat !== m.last_heartbeat) known.heartbeat = parse(m.last_heartbeat);
  if (known.binary !== m.binary || known.zone !== m.zone || known.disabled_reason !== m.disabled_reason) {
    known.text = [m.member, m.group, m.binary, m.zone, m.disabled_reason].join("\n").toLowerCase();
  }
  return Object.assign(known, absent, m, { key });
}
