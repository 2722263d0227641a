/** What was read and heard in a project: a list from which documents are submitted for review. */

import { assetTable, isUnsettled } from "./asset_table.js";
import { button, every, h, say, select } from "./dom.js";

const COLLECTIONS = { "/api/documents": "Documents", "/api/voice": "Recordings" };
const NAMES = ["processed", "processing", "uploaded", "pending", "failed"];
const STATES = { "": "any state", ...Object.fromEntries(NAMES.map((name) => [name, name])) };

export function resultsView(app) {
  const load = () => table.load();
  const refresh = () => table.refresh();
  const collection = select("Kind", COLLECTIONS, load);
  const state = select("State", STATES, load);
  const box = ({ id, path }) => h("input", { type: "checkbox", value: id, "aria-label": `Choose ${path}` });
  const query = () => ({ path: collection.value, project_id: app.project.id, state: state.value });
  const table = assetTable(app, query, box, "Nothing here yet.");

  async function submit() {
    const chosen = [...table.element.querySelectorAll("input:checked")];
    const ids = chosen.map(({ value }) => value);
    if (ids.length === 0) return say("Choose some rows first.", "bad");
    await app.api.post(`/api/projects/${app.project.id}/review`, { document_ids: ids });
    say(`Submitted for review: ${ids.length}.`);
    for (const box of chosen) box.checked = false;
    await refresh();
  }

  every(3, table.element, () => !table.busy && table.items.some(isUnsettled) && refresh());
  const tools = [collection, state, button("Refresh", refresh), button("Submit for review", submit, "main")];
  return h("section", { "aria-label": "Results" }, h("menu.tools", tools), table.element);
}
