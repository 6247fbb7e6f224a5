// The alerts that the bridge posts to Alertmanager and that fire now.
import { address } from "./api.js";
import { ago, element, keepFocus, tickAll } from "./dom.js";
import { count, number, parse } from "./format.js";
import { hostAddress, memberAddress } from "./rows.js";

/** The address of a runbook of this program. */
export const runbookAddress = (name) => `runbooks/${name}`;

/** The address of the dashboard about a group, or "" if no Grafana is configured. */
export function dashboardAddress(grafana, { source, group }) {
  if (!grafana) return "";
  const [page, variables] = group ? ["servicegroup-group", { "var-source": source, "var-group": group }] : ["servicegroup-overview", { "var-source": source }];
  return address(`${grafana}/d/${page}`, variables);
}

/** Shows an answer of the API about alerts. On the page of a member, without what the page says already. */
export function showAlerts(section, answer, now, { about = "", more = "" } = {}) {
  const fresh = element("div", { id: "alerts-body" }, ...body(answer, now, about, more));
  const old = section.querySelector("#alerts-body");
  tickAll(now);
  if (old.isEqualNode(fresh)) return; // A link that has the focus keeps it.
  const focused = old.contains(document.activeElement) ? document.activeElement.href : "";
  keepFocus(section, () => old.replaceWith(fresh));
  if (focused) [...fresh.querySelectorAll("a")].find((a) => a.href === focused)?.focus({ preventScroll: true });
}

function body({ sends, alertmanagers, alerts, total, grafana_url: grafana }, now, about, more) {
  if (!sends) return [note("This exporter sends no alerts, because its configuration has no Alertmanager. The rules in Prometheus do.")];
  const list = element("ul", { className: "alerts" }, ...alerts.map((a) => item(a, grafana, now)));
  const parts = alertmanagers.filter((m) => m.error).map((m) => note(`${m.alertmanager} does not accept alerts: ${m.error}.`, "error"));
  parts.push(total ? list : note(`No alert${about} fires. This exporter alerts on hosts, members, groups and many deaths in a source; the rules in Prometheus also on everything else.`));
  if (total > alerts.length) {
    parts.push(element("p", {}, more ? element("a", { href: more, textContent: `All ${count(total, "alert")}` }) : `and ${number(total - alerts.length)} more`));
  }
  return parts;
}

const note = (textContent, className = "none") => element("p", { className, textContent });

function item(a, grafana, now) {
  const of = [a.member, a.group, a.source].filter(Boolean);
  const subject = !of.length ? element("a", { className: "name", href: hostAddress(a.labels), textContent: `host ${a.labels.host}` }) : a.member ? element("a", { className: "name", href: memberAddress(a), textContent: a.member })
    : element("a", { className: "name", href: address("./", { source: a.source, group: a.group }), textContent: of[0] });
  return element("li", { className: a.severity },
    element("p", { className: "title" }, element("b", { textContent: a.severity }), " ", element("span", { className: "alertname", textContent: a.alertname }), " · ", subject,
      of.length > 1 ? ` (${of.slice(1).join(", ")})` : "", " for ", ago(parse(a.since), now)),
    a.annotations.host_answers && element("p", { className: "host-answers", textContent: `Host answers: ${a.annotations.host_answers}` }),
    a.retained_since && element("p", { className: "retained" }, "Retained for ", ago(parse(a.retained_since), now), ": it keeps firing because what it is about can't be read."),
    ...a.deliveries.map(delivery),
    element("p", { className: "actions" },
      element("a", { href: runbookAddress(a.runbook), textContent: "Runbook" }),
      grafana && " ", grafana && element("a", { href: dashboardAddress(grafana, a), textContent: "Dashboard" }),
      " ", element("span", { className: "set", textContent: labels(a.labels) })));
}

const states = { delivered: "delivered to", waiting: "waiting to be sent to", failed: "not delivered to" };

function delivery(d) {
  return element("p", { className: `delivery ${d.state}` }, `${states[d.state]} `, element("span", { className: "name", textContent: d.alertmanager }),
    d.error ? `: ${d.error}` : "", "; ", ...suppressed(d), " · ",
    element("a", { href: d.alert_url, textContent: "Alertmanager" }), " ", element("a", { href: d.silence_url, textContent: "Silence" }));
}

/** Says whether Alertmanager notifies its receivers, as far as it was asked. */
function suppressed(d) {
  if (!d.known) return ["not known whether it is silenced"];
  const parts = [];
  for (const [i, id] of d.silenced_by.entries()) parts.push("silenced by ", element("a", { href: d.silence_urls[i], textContent: id.slice(0, 8) }), ", ");
  for (const name of d.inhibited_by) parts.push(`inhibited by ${name}, `);
  for (const name of d.muted_by) parts.push(`muted by ${name}, `);
  if (!parts.length) return ["not silenced"];
  parts.push(parts.pop().replace(/, $/, ""));
  return parts;
}

/** The labels that the other lines do not have. */
function labels(all) {
  const shown = ["alertname", "severity", "source", "group", "member"];
  return Object.entries(all).filter(([name]) => !shown.includes(name)).map(([name, value]) => `${name}=${value}`).join(" ");
}
