// Rows of the grid of members.
import { address } from "./api.js";
import { ago, element, setAgo, setText } from "./dom.js";
import { brief } from "./format.js";
import { atLeast, notes } from "./store.js";

/** The address of the page of a member. */
export const memberAddress = ({ source, group, member }) => address("member", { source, group, member });

/** A state as a mark and a word, so that it does not depend on colour. */
export function badge(state) {
  return element("span", { className: `badge ${state}` }, element("span", { className: "mark", "aria-hidden": "true" }), element("span", {}, state));
}

export function setBadge(e, state) {
  e.className = `badge ${state}`;
  setText(e.lastElementChild, state);
}

/** Creates the row of a member. */
export function makeRow(member) {
  const cell = (name, ...children) => element("span", { role: "gridcell", className: name }, ...children);
  const link = element("a", { href: memberAddress(member), textContent: member.member, title: brief(member.member, 1000), tabIndex: -1 });
  return element("div", { role: "row", className: "row" },
    cell("state", badge(member.state)),
    cell("member", link),
    cell("since", ago(NaN, 0)),
    cell("heartbeat", ago(NaN, 0)),
    cell("group"),
    cell("zone"),
    cell("binary"),
    cell("reason"),
  );
}

/** Updates the row of a member. */
export function fillRow(row, m, { now, offsets, withSource }) {
  const [state, , since, heartbeat, group, zone, binary, reason] = row.children;
  row.className = `row ${m.state}${m.in_service ? "" : " out"}`;
  setBadge(state.firstElementChild, m.state);
  setAgo(since.firstElementChild, m.at, now, "", atLeast(m));
  // The time of a heartbeat is by the clock of the backend.
  setAgo(heartbeat.firstElementChild, m.heartbeat - (offsets.get(m.source) ?? 0) * 1000, now, " ago");
  const full = withSource ? `${m.source} / ${m.group}` : m.group;
  for (const [cell, text] of [[group, full], [zone, m.zone], [binary, m.binary], [reason, notes(m)]]) {
    setText(cell, text);
    if (cell.title !== text) cell.title = text;
  }
}
