// The histogram of detection latencies, as a drawing, a sentence and a table.
import { element } from "./dom.js";
import { count, measured } from "./format.js";

const width = 320;
const height = 120;
const foot = 18; // height of the labels below the axis

/** Adds up histograms. Returns the deaths in each bucket (not cumulative), their total, and the sum of their seconds. */
export function combine(detections) {
  const buckets = new Map();
  let total = 0;
  let seconds = 0;
  for (const d of detections) {
    let below = 0;
    for (const { le, count: within } of d.buckets) {
      buckets.set(le, (buckets.get(le) ?? 0) + within - below);
      below = within;
    }
    buckets.set(Infinity, (buckets.get(Infinity) ?? 0) + d.count - below);
    total += d.count;
    seconds += d.sum_seconds;
  }
  return { total, seconds, buckets: [...buckets].sort(([a], [b]) => a - b).map(([le, n]) => ({ le, n })) };
}

/** The smallest upper bound of a bucket below which this share of all deaths lies. */
export function quantile({ total, buckets }, share) {
  let within = 0;
  return buckets.find(({ n }) => (within += n) >= share * total)?.le;
}

/** Shows the sum of histograms. Without a change it does nothing, and an open table stays open. */
export function showDetection(place, detections) {
  const sum = combine(detections);
  const shown = JSON.stringify(sum);
  if (place.dataset.shown === shown) return;
  place.dataset.shown = shown;
  if (!sum.total) {
    place.replaceChildren(element("p", { className: "none", textContent: "No deaths since the exporter started." }));
    return;
  }
  const text = `${count(sum.total, "death")}, detected after ${measured(sum.seconds / sum.total)} on average; 99% ${bound(quantile(sum, 0.99))}.`;
  const used = trim(sum.buckets);
  const open = place.querySelector("details")?.open ?? false;
  place.replaceChildren(
    element("p", { className: "summary", textContent: text }),
    draw(used, text),
    element("details", { open }, element("summary", { textContent: "Show as a table" }), table(used)));
}

function bound(le) {
  return le === Infinity ? "above the last bucket" : `within ${label(le)}`;
}

const label = (le) => (le === Infinity ? "more" : measured(le));

/** Removes the empty buckets at both ends, except one. */
function trim(buckets) {
  const first = buckets.findIndex(({ n }) => n > 0);
  const last = buckets.findLastIndex(({ n }) => n > 0);
  return buckets.slice(Math.max(0, first - 1), last + 2);
}

function draw(buckets, text) {
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": text, class: "histogram" });
  const step = width / buckets.length;
  const highest = Math.max(...buckets.map(({ n }) => n));
  const every = Math.ceil(buckets.length / 8);
  svg.append(shape("line", { x1: 0, x2: width, y1: height - foot, y2: height - foot, class: "axis" }));
  for (const [i, { le, n }] of buckets.entries()) {
    const tall = (n / highest) * (height - foot - 14);
    const middle = (i + 0.5) * step;
    if (n) {
      svg.append(shape("rect", { x: i * step + 1, width: step - 2, y: height - foot - tall, height: tall }));
      svg.append(shape("text", { x: middle, y: height - foot - tall - 3, "text-anchor": "middle", class: "number" }, n));
    }
    if (i % every === 0) svg.append(shape("text", { x: middle, y: height - 5, "text-anchor": "middle" }, `${le === Infinity ? "" : "≤"}${label(le)}`));
  }
  return svg;
}

function shape(name, attributes, text = "") {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(text);
  return e;
}

function table(buckets) {
  const row = (...cells) => element("tr", {}, ...cells);
  return element("table", {},
    element("thead", {}, row(element("th", { scope: "col", textContent: "Detected within" }), element("th", { scope: "col", textContent: "Deaths" }))),
    element("tbody", {}, ...buckets.map(({ le, n }) => row(element("td", { textContent: label(le) }), element("td", { textContent: n })))));
}
