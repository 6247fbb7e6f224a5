// Lists of events, newest first.
import { ago, element, reconcile } from "./dom.js";
import { absolute, measured, parse } from "./format.js";
import { memberAddress } from "./rows.js";

const words = {
  death: "died", recovery: "recovered", join: "joined", leave: "left", forced_down: "was forced down",
  forced_up: "is no longer forced down", suspect: "is suspected", confirm: "was suspected and is down", refute: "was suspected and has reported", forgotten: "was forgotten", source_lost: "can't be read", source_back: "can be read again",
};

// The mark of an event is that of the state that it leads to.
const marks = { death: "down", suspect: "unknown", confirm: "down", refute: "up", forced_down: "down", recovery: "up", forced_up: "up", source_lost: "blind", source_back: "up" };

// What the latency of an event is, if not the time to the detection.
const taking = { recovery: "down for", suspect: "silent for", confirm: "silent for", refute: "silent for" };

/** An event as a sentence. */
export function sentence(e) {
  return e.member === undefined ? `Source ${e.source} ${words[e.event]}` : `${e.member} ${words[e.event]}`;
}

/** Shows events. On the page of one member, the events are without its name. */
export function showEvents(list, events, now, named = true) {
  if (!events.length) {
    list.replaceChildren(element("li", { className: "none", textContent: "No events yet." }));
    return;
  }
  reconcile(list, events, (e) => String(e.id), (e) => make(e, now, named));
}

function make(e, now, named) {
  const what = element("span", { className: "what" });
  if (named && e.member !== undefined) {
    what.append(element("a", { className: "name", href: memberAddress(e), textContent: e.member }), ` ${words[e.event]}`);
  } else {
    what.append(e.member === undefined ? sentence(e) : words[e.event].replace(/^(is|was) /, ""));
  }
  return element("li", { className: marks[e.event] ?? "other" },
    element("span", { className: "mark", "aria-hidden": "true" }), what,
    ago(parse(e.time), now, " ago"),
    element("span", { className: "detail", textContent: detail(e, named) }));
}

function detail(e, named) {
  const parts = named ? (e.member === undefined ? [] : [`${e.source} / ${e.group}`]) : [absolute(new Date(e.time))];
  if (e.latency_seconds !== undefined) {
    const taken = measured(e.latency_seconds);
    parts.push(`${taking[e.event] ?? "detected after"} ${taken}`);
  }
  if (e.error) parts.push(e.error);
  return parts.join(" · ");
}
