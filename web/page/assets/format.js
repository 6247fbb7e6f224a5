// Formats for times and numbers.

const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];

/** A duration that grows while it is shown, in seconds, in at most two units: "42s", "3m 20s", "5d 4h". */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const first = units.findIndex(([, size]) => whole >= size);
  if (first < 0) return "0s";
  const [unit, size] = units[first];
  const rest = units[first + 1];
  const left = rest ? Math.floor((whole % size) / rest[1]) : 0;
  return `${Math.floor(whole / size)}${unit}` + (left ? ` ${left}${rest[0]}` : "");
}

/** A duration that was measured or learned, in seconds: "3ms", "2.1s"; longer ones as by duration. */
export function measured(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)}ms`;
  return seconds < 10 ? `${Number(seconds.toFixed(1))}s` : duration(seconds);
}

/** A number with separators: "12,000". */
export const number = (n) => n.toLocaleString("en");

/** A number of things: "1 member", "12,000 members". */
export function count(n, thing) {
  return `${number(n)} ${thing}${n === 1 ? "" : "s"}`;
}

/** Date and time in the time zone of the browser, to the second: "2026-11-25 03:12:10". */
export function absolute(date) {
  const two = (n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Milliseconds since 1970 of a time in an answer, or NaN if there is none. */
export function parse(time) {
  return time ? Date.parse(time) : NaN;
}

/** The first characters of a text, if the whole text would be too long to read or to listen to. */
export function brief(text, most = 255) {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
