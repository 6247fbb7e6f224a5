// The summary: which members are down, since when, and whether to suspect the nodes or the backend.
import { ago, element, setText, tickAll } from "./dom.js";
import { address } from "./api.js";
import { brief, count, number, parse } from "./format.js";
import { hostAddress, memberAddress } from "./rows.js";
import { health, runbook } from "./sources.js";
import { atLeast } from "./store.js";

const named = 5; // members that the summary names

/** Shows the summary of all members, regardless of the filters. */
export function showVerdict(section, { sources, groups, down, aside, total, now }) {
  const [title, details] = section.children;
  const ill = sources.filter((s) => health(s) !== "up");
  const lines = [deadHosts(down), dead(down, now), ...suspicions(sources, groups, now), ...sources.map(rejections), ...ill.map((s) => blindness(s, now)), asides(aside)];
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
  else if (unknown) parts.push(`${number(unknown)} unknown`);
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
  if (down.length > named) {
    // Members that were down when last known are unknown now. The list of all members begins with those that are down.
    const state = down.every((m) => m.state === "down") ? "down" : "";
    line.append(" and ", element("a", { href: `${address("./", { state })}#members`, textContent: count(down.length - named, "other") }));
  }
  return down.length ? line : null;
}

/** Names the hosts that are down, each with the number of its members that are: one machine is one event. */
function deadHosts(down) {
  const lost = new Map();
  for (const m of down) if (m.cause === "host") lost.set(m.host, (lost.get(m.host) ?? 0) + 1);
  if (!lost.size) return null;
  const line = element("span", {}, `${count(lost.size, "host")} ${lost.size === 1 ? "is" : "are"} down: `);
  for (const [i, [host, members]] of [...lost].slice(0, named).entries()) {
    line.append(i ? ", " : "", element("a", { className: "name", href: hostAddress({ host }), textContent: brief(host) }), ` (${count(members, "member")})`);
  }
  if (lost.size > named) line.append(" and ", element("a", { href: "hosts?state=down", textContent: count(lost.size - named, "other") }));
  return line;
}

function asides(n) {
  return n ? `${count(n, "member")} out of service ${n === 1 ? "is" : "are"} also down.` : null;
}

function blindness(s, now) {
  const name = brief(s.source);
  switch (health(s)) {
    case "new":
      return `${name} has not been polled yet.`;
    case "blind":
      return element("span", {}, `${name} can't be read${s.reason ? ` (${s.reason})` : ""}, `,
        ...(s.last_success ? ["and was last ", ago(parse(s.last_success), now, " ago")] : ["and was never read"]),
        ". Suspect the backend or the network, not the nodes. ", runbook(s));
    default:
      return element("span", {}, `${name} was last read `, ago(parse(s.last_success), now, " ago"),
        " because the exporter is not scraped. Its data is too old to use. ", runbook(s));
  }
}

/** Repeats what the server decided: that many members of a source are down, or that its heartbeats have stalled. */
function suspicions(sources, groups, now) {
  return sources.flatMap((s) => {
    if (health(s) !== "up") return [];
    if (s.mass_failure) {
      return [`${brief(s.source)}: ${number(s.members_down)} of ${count(s.members_in_service, "member")} in service are down. Suspect the backend or the network.`];
    }
    if (s.heartbeats_stalled) {
      const newest = Math.max(...groups.filter((g) => g.source === s.source && g.newest).map((g) => g.newest));
      return [element("span", {}, `${brief(s.source)}: no heartbeats arrive any more`,
        ...(Number.isFinite(newest) ? ["; the newest came ", ago(newest - (s.clock_offset_seconds ?? 0) * 1000, now, " ago")] : []),
        ". Suspect the backend or the network.")];
    }
    return [];
  });
}

/** Warns of entries that are not shown, because they can't be used. */
function rejections(s) {
  if (s.long_names) {
    return `${brief(s.source)}: ${count(s.long_names, "member")} ${s.long_names === 1 ? "is" : "are"} missing here, because the name is longer than ` +
      "label_value_length_limit. Set that higher, here and in the scrape job.";
  }
  return s.rejected ? `${brief(s.source)}: ${number(s.rejected)} ${s.rejected === 1 ? "entry" : "entries"} can't be used and ${s.rejected === 1 ? "is" : "are"} missing here. The log says why.` : null;
}
