// Rows of the grid of members.
import { address } from "./api.js";
import { ago, element, setAgo, setText } from "./dom.js";
import { measured } from "./format.js";
import { answersText, atLeast, causeText, notes } from "./store.js";

/** The address of the page of a member. */
export const memberAddress = ({ source, group, member }) => address("member", { source, group, member });

/** The address of the page of a member's host. */
export const hostAddress = ({ host }) => address("host", { host });

/** A state as a mark and a word, so that it does not depend on colour. */
export function badge(state) {
  return element("span", { className: `badge ${state}` }, element("span", { className: "mark", "aria-hidden": "true" }), element("span", {}, state));
}

export function setBadge(e, state) {
  e.className = `badge ${state}`;
  setText(e.lastElementChild, state);
}

/** The age of the last heartbeat at the last poll: it belongs to the state, which that poll decided, so that it does not grow. */
export const heartbeatAge = (m) => (m.heartbeat_age_seconds === undefined ? "" : measured(m.heartbeat_age_seconds));

/** Creates the row of a member. */
export function makeRow(member) {
  const cell = (name, ...children) => element("span", { role: "gridcell", className: name }, ...children);
  const link = element("a", { href: memberAddress(member), textContent: member.member, tabIndex: -1 });
  return element("div", { role: "row", className: "row" },
    cell("state", badge(member.state)),
    cell("member", link),
    cell("since", ago(NaN, 0)),
    cell("heartbeat"),
    cell("group"),
    cell("zone"),
    cell("binary"),
    cell("reason"),
  );
}

/** Updates the row of a member. */
export function fillRow(row, m, { now, withSource, sends }) {
  const [state, , since, heartbeat, group, zone, binary, reason] = row.children;
  row.className = `row ${m.state}${m.in_service ? "" : " out"}`;
  setBadge(state.firstElementChild, m.state);
  setAgo(since.firstElementChild, m.at, now, "", atLeast(m));
  setText(heartbeat, heartbeatAge(m));
  const full = withSource ? `${m.source} / ${m.group}` : m.group;
  for (const [cell, text] of [[group, full], [zone, m.zone], [binary, m.binary]]) setText(cell, text);
  fillNotes(reason, m, sends);
}

/** Shows the notes on a member. One that is down has links to its host, its runbook and, if this program sends alerts, its alert. */
function fillNotes(cell, m, sends) {
  const shown = JSON.stringify([notes(m), m.down && sends, m.down, causeText(m), answersText(m)]);
  if (cell.dataset.shown === shown) return;
  cell.dataset.shown = shown;
  const link = (href, textContent) => element("a", { href, textContent, tabIndex: -1 });
  const links = m.down ? [link("runbooks/ServiceGroupMemberDown", "Runbook")] : [];
  if (m.down && sends) links.push(" ", link(`${memberAddress(m)}#alerts`, "Alert"));
  if (answersText(m)) links.unshift(answersText(m), " · ");
  if (causeText(m)) links.unshift(link(hostAddress(m), causeText(m)), " · ");
  cell.replaceChildren(notes(m), notes(m) && links.length ? " · " : "", ...links);
}
