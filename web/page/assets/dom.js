// Helpers for elements. Text is always set as text, never as markup, because names of members can contain markup.
import { absolute, duration } from "./format.js";

/** Creates an element with properties, attributes (names with a dash, and role), and children. */
export function element(tag, properties = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") e.setAttribute(name, value);
    else e[name] = value;
  }
  e.append(...children.filter((child) => child !== null));
  return e;
}

/** Sets a text if it differs, so that the browser does not lay out or announce the same text again. */
export function setText(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

/** Creates an element that shows how long ago a time was. tickAll updates it. */
export function ago(at, now, suffix = "", prefix = "") {
  const e = element("time");
  setAgo(e, at, now, suffix, prefix);
  return e;
}

/** Sets the time of such an element, in milliseconds. With NaN the element is empty. */
export function setAgo(e, at, now, suffix = "", prefix = "") {
  e.dataset.prefix = prefix;
  if (e.dataset.at !== String(at)) {
    e.dataset.at = at;
    e.dataset.suffix = suffix;
    if (Number.isNaN(at)) {
      e.removeAttribute("datetime");
      e.removeAttribute("title");
    } else {
      e.dateTime = new Date(at).toISOString();
      e.title = absolute(new Date(at));
    }
  }
  tick(e, now);
}

/** Updates all such elements of the page. */
export function tickAll(now) {
  for (const e of document.querySelectorAll("time[data-at]")) tick(e, now);
}

function tick(e, now) {
  const at = Number(e.dataset.at);
  setText(e, Number.isNaN(at) ? "" : e.dataset.prefix + duration((now - at) / 1000) + e.dataset.suffix);
}

/** Changes the children of a container. An element that loses the focus because it was moved gets the focus back. */
export function keepFocus(container, change) {
  const focused = container.contains(document.activeElement) ? document.activeElement : null;
  change();
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

/** Makes a list show items. The elements of items that stay are reused. */
export function reconcile(list, items, key, make, update) {
  keepFocus(list, () => arrange(list, items, key, make, update));
}

function arrange(list, items, key, make, update) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let at = list.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let child = old.get(name);
    old.delete(name);
    if (!child) {
      child = make(item);
      child.dataset.key = name;
    }
    update?.(child, item);
    if (child === at) at = at.nextElementSibling;
    else list.insertBefore(child, at);
  }
  for (const child of old.values()) child.remove();
}

/** Makes an element like one of another document, with as few changes as possible, so that a selection of text stays. */
export function become(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const children = [...fresh.childNodes];
  while (old.childNodes.length > children.length) old.lastChild.remove();
  for (const [i, child] of children.entries()) {
    const now = old.childNodes[i];
    if (!now) old.append(document.adoptNode(child));
    else if (now.nodeName !== child.nodeName) now.replaceWith(document.adoptNode(child));
    else if (now.nodeType === Node.ELEMENT_NODE) become(now, child);
    else if (now.data !== child.data) now.data = child.data;
  }
}
