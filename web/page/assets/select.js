// Selects the members to show, and sorts them.
import { states } from "./store.js";

/** The names of the filters in the address of the page. */
export const filterNames = ["q", "source", "group", "zone", "state"];

/** How many members a page of the list has. */
export const pageSize = 50;

// The orders of members besides that by state. Each puts first what the first use of its link asks for.
const orders = {
  member: (a, b) => (a.member < b.member ? -1 : a.member > b.member ? 1 : 0),
  since: (a, b) => b.at - a.at,
  heartbeat: (a, b) => (a.heartbeat_age_seconds ?? Infinity) - (b.heartbeat_age_seconds ?? Infinity) || 0,
};

/** Reads the filters, the order and the page from the query of an address. */
export function readFilter(search) {
  const query = new URLSearchParams(search);
  const filter = Object.fromEntries([...filterNames, "sort", "page"].map((name) => [name, query.get(name) ?? ""]));
  if (!states.includes(filter.state)) filter.state = "";
  if (!["state", ...Object.keys(orders)].includes(filter.sort.replace(/^-/, ""))) filter.sort = "";
  return filter;
}

/** The part of a list that is the page of the filter, or the last one if there is no such page. */
export function pageOf(list, filter) {
  const pages = Math.max(1, Math.ceil(list.length / pageSize));
  const page = Math.min(Math.max(1, parseInt(filter.page, 10) || 1), pages);
  const first = (page - 1) * pageSize;
  return { page, pages, first, total: list.length, items: list.slice(first, first + pageSize) };
}

/** Whether the filter selects a group. */
export function wantsGroup(filter, { source, group }) {
  return (!filter.source || filter.source === source) && (!filter.group || filter.group === group);
}

/**
 * Selects members, and counts the members in each state without the filter of states. Members that are down come first: those
 * in service before those out of service, and the latest deaths before earlier ones. Then come the members that are unknown,
 * among them first those that were down, and those that are up, first those that are suspected, in the order of the API. The filter may name another order.
 */
export function select(members, filter) {
  const text = filter.q.trim().toLowerCase();
  const counts = { down: 0, unknown: 0, up: 0 };
  const picked = { down: [], unknown: [], up: [] };
  let total = 0;
  for (const m of members) {
    total++;
    if (!wantsGroup(filter, m) || (filter.zone && filter.zone !== m.zone) || !m.text.includes(text)) continue;
    counts[m.state]++;
    if (!filter.state || filter.state === m.state) picked[m.state].push(m);
  }
  picked.down.sort((a, b) => b.in_service - a.in_service || b.at - a.at);
  picked.unknown.sort((a, b) => b.down - a.down || b.suspected - a.suspected);
  picked.up.sort((a, b) => b.suspected - a.suspected);
  const list = [...picked.down, ...picked.unknown, ...picked.up];
  const order = orders[filter.sort.replace(/^-/, "")];
  if (order) list.sort(order);
  if (filter.sort.startsWith("-")) list.reverse();
  return { list, counts, total };
}

/**
 * Returns the groups with their counts, the zones, the columns that are not empty, the members in service that are down as far
 * as is known, and the number of the others that are down.
 */
export function survey(members) {
  const groups = new Map();
  const zones = new Set();
  const down = [];
  let aside = 0;
  const has = { zone: false, binary: false, heartbeat: false, reason: false };
  for (const m of members) {
    const key = JSON.stringify([m.source, m.group]);
    let g = groups.get(key);
    if (!g) groups.set(key, (g = { key, source: m.source, group: m.group, down: 0, unknown: 0, up: 0, out: 0, lost: 0, newest: 0 }));
    if (m.down) {
      down.push(m);
      g.lost++;
    }
    if (m.in_service) {
      g[m.state]++;
      if (m.heartbeat > g.newest) g.newest = m.heartbeat;
    } else {
      g.out++;
      if (m.state === "down") aside++;
    }
    zones.add(m.zone);
    has.zone ||= m.zone !== "";
    has.binary ||= m.binary !== "";
    has.heartbeat ||= m.heartbeat_age_seconds !== undefined;
    has.reason ||= m.down || m.forced_down === true || m.enabled === false || m.suspected;
  }
  down.sort((a, b) => b.at - a.at);
  return { groups: [...groups.values()], zones: [...zones].filter(Boolean).sort(), has, down, aside };
}
