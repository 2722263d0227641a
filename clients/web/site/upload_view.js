/** Uploading: choose, look at what will be sent, watch it go up. */

import { ask, attempt, button, h } from "./dom.js";
import { bytes, count } from "./format.js";
import { brief, problemTable, progress } from "./progress.js";
import { examine, fromDrop, fromHandles, fromInput } from "./selection.js";
import { Upload } from "./upload.js";

export function uploadView(app) {
  const view = h("section", { "aria-label": "Upload" });

  /** Shows what is in front, and below it what becomes of the other uploads. */
  function show(...front) {
    view.replaceChildren(...front, ...app.uploads.filter((upload) => upload !== app.upload).map(brief));
  }

  function watch(upload) {
    follow(upload);
    app.upload = upload;
    show(progress(upload, more));
  }

  function follow(upload) {
    app.uploads.push(upload);
    upload.start();
  }

  /** Follows what was sent before, and offers to go on with what was not, or to choose. */
  async function start() {
    app.upload = null;
    const kept = await app.journal.of(app.owner);
    const known = new Set(app.uploads.map(({ record }) => record.id));
    for (const record of kept.filter(({ id, sent }) => sent && !known.has(id))) {
      follow(new Upload(app.api, app.journal, record));
    }
    show(...kept.filter(({ sent }) => !sent).map(unfinished), chooser(offer));
  }

  /** What is over was seen. */
  function more() {
    app.uploads = app.uploads.filter(({ state }) => state !== "over");
    return start();
  }

  function unfinished(record) {
    const { name, project, files, handles } = record;
    const goOn = async ({ found }) => watch(await Upload.again(app.api, app.journal, record, examine(found).files));
    const discard = async () => {
      await new Upload(app.api, app.journal, record).cancel();
      await start();
    };
    const choices = [
      inputs("Choose the same files again to go on:", goOn),
      handles.length > 0 && button("Go on", async () => goOn(await permitted(handles)), "main"),
    ];
    const about = `${count(files, "file")}, ${bytes(record.bytes)}, to ${project.name}. It goes on where it stopped.`;
    const title = `“${name}” is not finished`;
    return h("div.card.unfinished", h("h2", title), h("p", about), h("menu", button("Discard", discard), choices));
  }

  /** Shows what will be sent, and what can't be. */
  function offer({ name, found, handles = [] }) {
    const { files, refused, leftOut } = examine(found);
    const { id, name: project } = app.project;
    const cycles = h("select", { "aria-label": "Cycle" }, h("option", { value: "" }, "No cycle"));
    const begin = async () => {
      const order = { owner: app.owner, project: { id, name: project }, cycle: cycles.value, name, handles };
      watch(await Upload.begin(app.api, app.journal, order, files));
    };
    const size = files.reduce((sum, { file }) => sum + file.size, 0);
    const hidden = leftOut > 0 && `, ${count(leftOut, "hidden file")} left out`;
    const go = button(`Upload ${count(files.length, "file")}`, begin, "main", { disabled: files.length === 0 });
    const card = h(
      "div.card",
      h("h2", name),
      h("p", `${count(files.length, "file")}, ${bytes(size)}, to ${project}`, hidden),
      h("label", "Cycle", cycles, button("New cycle", () => newCycle(app, cycles))),
      h("menu", button("Choose others", start), go),
    );
    show(card, refused.length ? problemTable("can't be sent", refused) : "");
    return listCycles(app, cycles);
  }

  if (app.upload) show(progress(app.upload, more));
  else attempt(start, view);
  return view;
}

async function listCycles(app, cycles) {
  const found = await app.api.all("/api/cycles", { project_id: app.project.id });
  cycles.append(...found.map(({ id, name }) => h("option", { value: id }, name)));
}

async function newCycle(app, cycles) {
  const name = await ask("New cycle", "Create");
  if (!name) return;
  const { id } = await app.api.post("/api/cycles", { project_id: app.project.id, name });
  cycles.append(h("option", { value: id, selected: true }, name));
}

async function permitted(handles) {
  for (const handle of handles) {
    const answer = await handle.requestPermission({ mode: "read" });
    if (answer !== "granted") throw new Error("The browser may not read the folder.");
  }
  return fromHandles(handles);
}

function chooser(chosen) {
  const over = (is) => area.classList.toggle("over", is);
  const drop = async (event) => {
    event.preventDefault();
    over(false);
    await chosen(await fromDrop(event.dataTransfer));
  };
  const dragover = (event) => {
    event.preventDefault();
    over(true);
  };
  const about = "PDF and pictures are read, recordings are transcribed, all other files are kept. Up to 5 GB each.";
  const area = h(
    "div.card.drop",
    { ondragover: dragover, ondragleave: () => over(false), ondrop: drop },
    inputs("Drop a folder or files here, or choose:", chosen),
    h("p.quiet", about),
  );
  return area;
}

function inputs(text, chosen) {
  const take = ({ target }) => {
    const selection = fromInput(target.files);
    target.value = ""; // the same folder may be chosen again
    return chosen(selection);
  };
  const input = (label, attributes) =>
    h("label.button", label, h("input", { type: "file", multiple: true, ...attributes, onchange: take }));
  return h("div.inputs", h("p", text), input("Folder", { webkitdirectory: true }), input("Files", {}));
}
