// The summary: which members are down, since when, and whether to suspect the nodes or the backend.
import { ago, element, setText, tickAll } from "./dom.js";
import { brief, count, duration, parse } from "./format.js";
import { memberAddress } from "./rows.js";
import { health } from "./sources.js";
import { atLeast } from "./store.js";

const named = 5; // members that the summary names

/** Shows the summary of all members, regardless of the filters. */
export function showVerdict(section, { sources, groups, down, aside, total, now }) {
  const [title, details] = section.children;
  const ill = sources.filter((s) => health(s, now) !== "up");
  const lines = [dead(down, now), ...suspicions(sources, groups, now), ...ill.map((s) => blindness(s, now)), asides(aside)];
  const unknown = groups.reduce((n, g) => n + g.unknown, 0);
  if (unknown) lines.push(`${count(unknown, "member")} ${unknown === 1 ? "is" : "are"} unknown: neither known to be up nor known to be down.`);
  setText(title, headline(down.length, unknown, ill, total));
  section.className = `verdict ${down.length ? "down" : ill.length || unknown ? "unknown" : "up"}`;
  const fresh = element("ul", { id: details.id }, ...lines.filter(Boolean).map((line) => element("li", {}, line)));
  tickAll(now);
  if (!details.isEqualNode(fresh)) details.replaceWith(fresh); // A link that has the focus keeps it otherwise.
}

function headline(down, unknown, ill, total) {
  const parts = [];
  if (down) parts.push(`${count(down, "member")} ${down === 1 ? "is" : "are"} down`);
  if (ill.length) parts.push(`${ill.length === 1 ? `source ${brief(ill[0].source)} has` : `${count(ill.length, "source")} have`} no current data`);
  else if (unknown) parts.push(`${unknown.toLocaleString("en")} unknown`);
  if (parts.length) return parts.join("; ");
  return total ? `No member in service is down (${count(total, "member")})` : "There are no members yet";
}

/** Names the members that are down, the latest deaths first. */
function dead(down, now) {
  const line = element("span");
  for (const m of down.slice(0, named)) {
    if (line.childNodes.length) line.append(", ");
    line.append(element("a", { className: "name", href: memberAddress(m), textContent: brief(m.member) }), ` (${brief(m.group)}) for `, ago(m.at, now, "", atLeast(m)));
  }
  if (down.length > named) line.append(` and ${count(down.length - named, "other")}`);
  return down.length ? line : null;
}

function asides(n) {
  return n ? `${count(n, "member")} out of service ${n === 1 ? "is" : "are"} also down.` : null;
}

function blindness(s, now) {
  const name = brief(s.source);
  switch (health(s, now)) {
    case "new":
      return `${name} has not been polled yet.`;
    case "blind":
      return element("span", {}, `${name} can't be read${s.reason ? ` (${s.reason})` : ""}, `,
        ...(s.last_success ? ["and was last ", ago(parse(s.last_success), now, " ago")] : ["and was never read"]),
        ". Suspect the backend or the network, not the nodes.");
    default:
      return element("span", {}, `${name} was last read `, ago(parse(s.last_success), now, " ago"),
        " because the exporter is not scraped. Its data is too old to use.");
  }
}

/** Warns if many members of a source are down, by the limits of the alerting rules, or if its heartbeats have stalled. */
function suspicions(sources, groups, now) {
  return sources.flatMap((s) => {
    if (health(s, now) !== "up") return [];
    const own = groups.filter((g) => g.source === s.source);
    const { members_in_service: serving, members_down: lost } = s;
    const newest = Math.max(0, ...own.map((g) => g.newest));
    const silent = (now + (s.clock_offset_seconds ?? 0) * 1000 - newest) / 1000;
    if (lost >= 5 && lost > serving / 2) {
      return [`${brief(s.source)}: ${lost} of ${serving} members in service are down. Suspect the backend or the network.`];
    }
    if (s.heartbeats_stalled) {
      return [`${brief(s.source)}: no heartbeat from any member for ${duration(silent)}. Suspect the backend or the network.`];
    }
    return [];
  });
}
