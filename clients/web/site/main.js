/** The console: signs in, keeps the project, and shows the view that the address names. */

import { Api } from "./api.js";
import { ask, button, h, say, select } from "./dom.js";
import { figuresView } from "./figures.js";
import { waiting } from "./format.js";
import { Journal } from "./journal.js";
import { resultsView } from "./results.js";
import { reviewView } from "./review.js";
import { signInView } from "./sign_in.js";
import { uploadView } from "./upload_view.js";

const VIEWS = { upload: uploadView, results: resultsView, review: reviewView, figures: figuresView };
const CHOSEN = "alta-project";

/** What every view is given: the platform, the person, the project, the uploads of this tab and the one in front. */
const app = {
  api: new Api(document.querySelector("meta[name=alta-api]").content),
  journal: await Journal.open(),
  me: null,
  project: null,
  uploads: [],
  upload: null,
  /** Tells apart whose uploads are whose, on this machine. */
  get owner() {
    return `${app.api.base} ${app.me.id}`;
  },
};
const bar = document.getElementById("bar");
const page = document.getElementById("page");

/** Goes on with the sign-in that this tab has, where there is one. */
async function begin() {
  if (!app.api.signedIn) return leave();
  page.replaceChildren(h("p.empty", { role: "status" }, "Connecting …"));
  try {
    await enter();
  } catch (error) {
    if (app.api.signedIn) page.replaceChildren(unreachable(error));
    else say(error.message, "bad");
  }
}

function unreachable({ message }) {
  const choices = [button("Sign out", () => app.api.signOut()), button("Try again", begin, "main")];
  return h("div.card.narrow", h("p.bad", { role: "alert" }, message), h("menu", choices));
}

async function enter() {
  app.me = await app.api.get("/api/auth/me");
  app.uploads = app.uploads.filter(({ record }) => record.owner === app.owner);
  if (!app.uploads.includes(app.upload)) app.upload = null;
  await showBar();
  for (const upload of app.uploads) upload.start();
  showView();
}

function leave() {
  for (const upload of app.uploads) upload.pause();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  bar.hidden = true;
  page.replaceChildren(signInView(app, enter));
}

async function showBar() {
  const projects = await app.api.all("/api/projects");
  app.project = projects.find(({ id }) => id === localStorage.getItem(CHOSEN)) ?? projects[0] ?? null;
  const names = Object.fromEntries(projects.map(({ id, name }) => [id, name]));
  const choice = select("Project", names, () => choose(projects, choice.value));
  choice.value = app.project?.id;
  const links = Object.keys(VIEWS).map((view) => h("a", { href: `#${view}` }, view));
  bar.replaceChildren(
    h("strong", "Alta"),
    h("nav", { "aria-label": "Views" }, links),
    h("div.where", projects.length > 0 && choice, button("New project", newProject)),
    h("div.who", h("span", app.me.name), passkeyButton(), button("Sign out", () => app.api.signOut())),
  );
  bar.hidden = false;
}

function choose(projects, id) {
  localStorage.setItem(CHOSEN, id);
  app.project = projects.find((project) => project.id === id);
  showView();
}

async function newProject() {
  const name = await ask("New project", "Create");
  if (!name) return;
  localStorage.setItem(CHOSEN, (await app.api.post("/api/projects", { name })).id);
  await showBar();
  showView();
}

function passkeyButton() {
  if (!globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON) return null;
  return button("Add passkey", async () => {
    await app.api.addPasskey(navigator.userAgentData?.platform || "This device");
    say("The passkey is kept: sign in with it next time.");
  });
}

function showView() {
  const asked = location.hash.slice(1);
  const name = asked in VIEWS ? asked : "upload";
  for (const link of bar.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `Alta: ${name}`;
  const nowhere = "Make a project first: what is collected belongs to one.";
  page.replaceChildren(app.project ? VIEWS[name](app) : h("p.empty", nowhere));
}

addEventListener("hashchange", () => app.api.signedIn && showView());
addEventListener("beforeunload", (event) => app.upload?.state === "running" && event.preventDefault());
app.api.addEventListener("signedout", leave);
app.api.addEventListener("waiting", ({ detail }) => {
  say(waiting(detail.reason, detail.seconds), "wait", detail.seconds);
});
begin();
