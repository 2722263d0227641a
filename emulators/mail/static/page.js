// The page of the mail sink: lists messages, shows one, and looks for new ones while it is visible.

const LOOK_AGAIN = 2000; // milliseconds
const LINK = /https?:\/\/[^\s"'<>]+[^\s"'<>.,;:!?)\]]/g;

const at = (id) => document.getElementById(id);
let chosen = null; // the message that is shown, whole
let view = "html";
let listed = ""; // what the list shows; drawing it again would take the focus away

function element(name, text, attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  made.textContent = text;
  return made;
}

// Text with its addresses made into links; nothing in it is ever read as HTML.
function linked(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    parts.push(text.slice(end, match.index));
    parts.push(element("a", match[0], { href: match[0], target: "_blank", rel: "noreferrer" }));
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

function entry(message) {
  const button = element("button", "", { type: "button" });
  const time = new Date(message.received_at).toLocaleTimeString();
  button.append(element("strong", message.subject || "(no subject)"), element("small", `${message.to.join(", ")} · ${time}`));
  if (message.id === chosen?.id) button.setAttribute("aria-current", "true");
  button.onclick = () => choose(message.id);
  const item = document.createElement("li");
  item.append(button);
  return item;
}

async function list() {
  const to = at("to").value.trim();
  const answer = await fetch(to ? `/messages?${new URLSearchParams({ to })}` : "/messages");
  const { items } = await answer.json();
  const now = [chosen?.id, ...items.map((message) => message.id)].join();
  if (now === listed) return;
  listed = now;
  at("messages").replaceChildren(...items.map(entry));
  at("none").hidden = items.length > 0;
}

async function choose(id) {
  const answer = await fetch(`/messages/${id}`);
  chosen = answer.ok ? await answer.json() : null;
  view = chosen?.html ? "html" : "text";
  show();
  list();
}

async function show() {
  at("message").hidden = !chosen;
  if (!chosen) return;
  at("subject").textContent = chosen.subject || "(no subject)";
  const envelope = { From: chosen.from, To: chosen.to.join(", "), Received: new Date(chosen.received_at).toLocaleString() };
  at("envelope").replaceChildren(...Object.entries(envelope).flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.setAttribute("aria-selected", tab.dataset.view === view);
    tab.hidden = (tab.dataset.view === "html" && !chosen.html) || (tab.dataset.view === "text" && !chosen.text);
  }
  at("html").hidden = view !== "html";
  at("plain").hidden = view === "html";
  if (view === "html") at("html").src = `/messages/${chosen.id}/html`;
  if (view === "text") at("plain").replaceChildren(...linked(chosen.text ?? ""));
  if (view === "headers") at("plain").textContent = chosen.headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  if (view === "raw") at("plain").textContent = await (await fetch(`/messages/${chosen.id}/raw`)).text();
  at("attachments").replaceChildren(...chosen.attachments.map((file, number) => {
    const item = document.createElement("li");
    item.append(element("a", `${file.name} (${file.size} bytes)`, { href: `/messages/${chosen.id}/attachments/${number}` }));
    return item;
  }));
}

for (const tab of document.querySelectorAll("[role=tab]")) {
  tab.onclick = () => { view = tab.dataset.view; show(); };
}
at("to").oninput = list;
at("clear").onclick = async () => {
  await fetch("/messages", { method: "DELETE" });
  chosen = null;
  show();
  list();
};
setInterval(() => { if (document.visibilityState === "visible") list(); }, LOOK_AGAIN);
list();
