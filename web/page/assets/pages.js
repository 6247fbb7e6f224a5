// The order of the members and the links to their pages. All of it is in the address, as for the filters.
import { address } from "./api.js";
import { element } from "./dom.js";
import { number } from "./format.js";
import { pageSize } from "./select.js";

/** Sets the links in the heads of columns: a second use of a link turns the order. */
export function showOrder(head, filter) {
  for (const link of head.querySelectorAll("a[data-sort]")) {
    const name = link.dataset.sort;
    const now = filter.sort || "state";
    const order = now === name ? "ascending" : now === `-${name}` ? "descending" : "";
    link.href = address("./", { ...filter, sort: order === "ascending" ? `-${name}` : name, page: "" });
    if (order) link.parentElement.setAttribute("aria-sort", order);
    else link.parentElement.removeAttribute("aria-sort");
  }
}

/** Shows links to the other pages of a list. */
export function showPages(nav, filter, { page, pages, total }) {
  const shown = JSON.stringify([filter, page, total]);
  if (nav.dataset.shown === shown) return; // A link that has the focus keeps it.
  nav.dataset.shown = shown;
  nav.hidden = pages < 2;
  const to = (n, text) => (n < 1 || n > pages || n === page ? element("span", { textContent: text })
    : element("a", { href: address("./", { ...filter, page: n === 1 ? "" : String(n) }), textContent: text }));
  const last = Math.min(page * pageSize, total);
  const fresh = element("nav", {}, to(page === 1 ? 0 : 1, "First"), " ", to(page - 1, "Previous"), " ",
    element("span", { textContent: `${number((page - 1) * pageSize + 1)} to ${number(last)} of ${number(total)}` }), " ",
    to(page + 1, "Next"), " ", to(page === pages ? 0 : pages, "Last"));
  const focused = nav.contains(document.activeElement) ? document.activeElement.textContent : "";
  nav.replaceChildren(...fresh.childNodes);
  if (focused) [...nav.querySelectorAll("a")].find((a) => a.textContent === focused)?.focus();
}
