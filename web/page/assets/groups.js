// The groups, with the number of members in each state.
import { address } from "./api.js";
import { element, reconcile, setText } from "./dom.js";
import { number } from "./format.js";
import { wantsGroup } from "./select.js";
import { states } from "./store.js";

const parts = [...states, "out"]; // of a group's bar: the members in service by state, and those out of service

/** Shows the groups as links that set the filter. Groups with members in service that are down come first. */
export function showGroups(list, groups, filter, severalSources) {
  const sorted = [...groups].sort((a, b) => b.lost - a.lost || b.down - a.down || b.unknown - a.unknown);
  reconcile(list, sorted, (g) => g.key, make, (item, g) => fill(item, g, filter, severalSources));
}

function make(g) {
  const bar = element("span", { className: "bar", "aria-hidden": "true" }, ...parts.map((s) => element("span", { className: s })));
  return element("li", {},
    element("a", { href: address("./", { source: g.source, group: g.group }) },
      element("span", { className: "name" }), bar, element("span", { className: "tally" })));
}

function fill(item, g, filter, severalSources) {
  const link = item.firstElementChild;
  const [name, bar, tally] = link.children;
  const total = parts.reduce((n, part) => n + g[part], 0);
  setText(name, severalSources ? `${g.source} / ${g.group}` : g.group);
  for (const [i, part] of parts.entries()) {
    bar.children[i].style.flexGrow = g[part];
    bar.children[i].hidden = !g[part];
  }
  const counts = [g.down && `${number(g.down)} down`, g.unknown && `${number(g.unknown)} unknown`, g.out && `${number(g.out)} out of service`].filter(Boolean);
  setText(tally, counts.length ? `${counts.join(", ")} of ${number(total)}` : `${number(total)} up`);
  link.className = g.down ? "down" : g.unknown ? "unknown" : "up";
  if (filter.group && wantsGroup(filter, g)) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}
