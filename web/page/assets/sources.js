// The sources, whether they can be read, and how old their data is.
import { runbookAddress } from "./alerts.js";
import { ago, element, reconcile, setAgo, setText } from "./dom.js";
import { count, measured, number, parse } from "./format.js";

/** The health of a source, as the server says: "up", "blind" (it can't be read), "stale" (it was not read recently) or "new" (it was not read yet). */
export function health(source) {
  if (!source.last_attempt) return "new";
  if (!source.up) return "blind";
  return source.stale ? "stale" : "up";
}

const mostProblems = 5; // that a card lists

/** What is probably not as it was meant, although the source can be read. */
function problems({ problems: all = [] }) {
  const texts = all.slice(0, mostProblems).map((p) => `${p.problem}: ${p.detail}`);
  return all.length > mostProblems ? [...texts, `and ${number(all.length - mostProblems)} more: see the API`] : texts;
}

// What to do about a source that is not read, or about one with problems.
const runbooks = { blind: ["ServiceGroupSourceUnreachable", "a source can't be read"], stale: ["ServiceGroupViewStale", "a source was not read recently"], problem: ["ServiceGroupSourceProblem", "a source has a problem"] };

/** The runbook about what is wrong with a source, as a link; null if nothing is. */
export function runbook(source) {
  const state = health(source);
  const [name, title] = runbooks[state === "up" && problems(source).length ? "problem" : state] ?? [];
  return name ? element("a", { href: runbookAddress(name), textContent: `Runbook: ${title}` }) : null;
}

const words = { up: "readable", blind: "can't be read", stale: "not read recently", new: "not polled yet" };

/** Shows the sources as a list of cards, those with a problem first. */
export function showSources(list, sources, now) {
  const fine = (s) => health(s) === "up" && problems(s).length === 0;
  const sorted = [...sources].sort((a, b) => fine(a) - fine(b));
  reconcile(list, sorted, (s) => s.source, make, (card, s) => fill(card, s, now));
}

function make(s) {
  return element("li", { className: "card" },
    element("h3", {}, element("span", { className: "name", textContent: s.source }),
      element("span", { className: "badge" }, element("span", { className: "mark", "aria-hidden": "true" }), element("span")),
      element("span", { className: "tally" })),
    element("p", { className: "error" }),
    element("ul", { className: "problems" }),
    element("p", { className: "runbook" }),
    element("p", { className: "backend" }),
    element("dl", {}, ...fact("Read", ago(NaN, 0, " ago")), ...fact("Poll"), ...fact("Clock"), ...fact("Heartbeat timeout")));
}

function fact(name, value = "") {
  return [element("div", {}, element("dt", { textContent: name }), " ", element("dd", {}, value))];
}

function fill(card, s, now) {
  const state = health(s);
  const [title, error, suspicious, help, backend, facts] = card.children;
  const [, badge, tally] = title.children;
  badge.className = `badge ${state}`;
  setText(badge.lastElementChild, words[state]);
  setText(tally, tallied(s.members));
  setText(error, s.error ? `${s.reason ? `${s.reason}: ` : ""}${s.error}` : "");
  error.hidden = !s.error;
  reconcile(suspicious, problems(s), (text) => text, (text) => element("li", { textContent: text }), () => {});
  const link = runbook(s);
  if (help.firstElementChild?.href !== link?.href) help.replaceChildren(...(link ? [link] : [])); // A link that has the focus keeps it.
  help.hidden = !link;
  setText(backend, [s.driver, s.schema, s.layout, s.backend].filter(Boolean).join(" · "));
  const [read, took, offset, downTime] = [...facts.children].map((div) => div.lastElementChild);
  setAgo(read.firstElementChild, parse(s.last_success), now, " ago");
  read.classList.toggle("never", !s.last_success);
  setText(took, measured(s.poll_duration_seconds));
  setText(offset, s.clock_offset_seconds === undefined ? "unknown" : signed(s.clock_offset_seconds));
  offset.classList.toggle("bad", Math.abs(s.clock_offset_seconds) > 5);
  setText(downTime, s.heartbeat_timeout_seconds ? measured(s.heartbeat_timeout_seconds) : "unknown");
}

function tallied({ up, down, unknown, out_of_service: out }) {
  const parts = [down && `${number(down)} down`, unknown && `${number(unknown)} unknown`, out && `${number(out)} out of service`].filter(Boolean);
  return [count(up + down + unknown + out, "member"), ...parts].join(", ");
}

function signed(seconds) {
  const size = measured(Math.abs(seconds));
  return size === "0ms" ? size : `${seconds < 0 ? "−" : "+"}${size}`;
}
