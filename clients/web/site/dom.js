/** Elements: made, shown and wired, with what goes wrong told to the person. */

const SVG = "http://www.w3.org/2000/svg";
const DRAWN = new Set(["svg", "g", "rect", "line", "text", "title"]);

/**
 * Makes an element: `h("p.quiet", { id: "x", onclick: act }, "text", child)`. Classes stand behind the tag, attributes
 * may be left out, children are nodes, text, lists of them, or nothing (null, undefined, false).
 */
export function h(name, ...given) {
  const [tag, ...classes] = name.split(".");
  const element = DRAWN.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  if (classes.length > 0) element.setAttribute("class", classes.join(" "));
  if (given[0]?.constructor === Object) setAll(element, given.shift());
  element.append(...given.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function setAll(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), (event) => attempt(() => value(event), element));
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
}

/** A button; it can't be pressed again while its action is under way. `kind` is its class. */
export function button(label, action, kind = "", attributes = {}) {
  return h("button", { type: "button", class: kind, ...attributes, onclick: action }, label);
}

/** A choice; `options` are values with what they are called. */
export function select(label, options, onchange = () => {}) {
  const made = Object.entries(options).map(([value, called]) => h("option", { value }, called));
  return h("select", { "aria-label": label, onchange }, made);
}

/** Does something that a person asked for; what goes wrong is said. */
export async function attempt(action, element) {
  const result = action();
  if (!(result instanceof Promise)) return;
  if (element instanceof HTMLButtonElement) element.disabled = true;
  try {
    await result;
  } catch (error) {
    say(error.message, "bad");
  } finally {
    if (element instanceof HTMLButtonElement) element.disabled = false;
  }
}

/** Tells the person something, for some seconds, in place of what said the same, or of the `wait` before this one. */
export function say(text, kind = "good", seconds = kind === "bad" ? 12 : 5) {
  const notice = h(`p.${kind}`, text);
  // Whatever is not in an open dialog lies below it, and is not read aloud.
  const place = document.querySelector("dialog[open] .notices") ?? document.getElementById("notices");
  const replaced = (other) => other.textContent === text || (kind === "wait" && other.className === kind);
  [...place.children].find(replaced)?.remove();
  place.append(notice);
  setTimeout(() => notice.remove(), seconds * 1000);
}

/** Asks for a line of text in a dialog; null when the person would rather not. */
export function ask(title, confirm) {
  return new Promise((resolve) => {
    const input = h("input", { name: "answer", required: true, maxlength: 200, autocomplete: "off" });
    const buttons = h("menu", button("Cancel", () => dialog.close()), h("button.main", { value: "ok" }, confirm));
    const form = h("form", { method: "dialog" }, h("h2", title), h("label", "Name", input), buttons);
    const dialog = h("dialog", { onclose: () => resolve(dialog.returnValue ? input.value.trim() : null) }, form);
    show(dialog);
  });
}

/** Opens a dialog, which is removed when it closes; what goes wrong in it is said in it. */
export function show(dialog) {
  dialog.append(h("div.notices", { role: "alert" }));
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

/** Repeats something as long as the element is shown. */
export function every(seconds, element, action) {
  const act = () => (element.isConnected ? attempt(action, element) : clearInterval(timer));
  const timer = setInterval(act, seconds * 1000);
}

/** Lets these be the children of an element. Those that stay are not moved, so that they keep the focus. */
export function arrange(element, children) {
  const staying = new Set(children);
  for (const child of [...element.children]) if (!staying.has(child)) child.remove();
  let next = element.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else element.insertBefore(child, next);
  }
}

/** A state, as a small coloured word. */
export function badge(state) {
  return h(`span.badge.${state}`, state.replaceAll("_", " "));
}
