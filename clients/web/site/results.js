/** What was read and heard in a project: a list from which documents are submitted for review. */

import { assetTable, isUnsettled } from "./asset_table.js";
import { button, every, h, say, select } from "./dom.js";

const COLLECTIONS = { "/api/documents": "Documents", "/api/voice": "Recordings" };
const NAMES = ["processed", "processing", "uploaded", "pending", "failed"];
const STATES = { "": "any state", ...Object.fromEntries(NAMES.map((name) => [name, name])) };

export function resultsView(app) {
  const reload = () => table.load();
  const collection = select("Kind", COLLECTIONS, reload);
  const state = select("State", STATES, reload);
  const box = ({ id, path }) => h("input", { type: "checkbox", value: id, "aria-label": `Choose ${path}` });
  const query = () => ({ path: collection.value, project_id: app.project.id, state: state.value });
  const table = assetTable(app, query, box, "Nothing here yet.");
  const chosen = () => [...table.element.querySelectorAll("input:checked")].map(({ value }) => value);

  async function submit() {
    const ids = chosen();
    if (ids.length === 0) return say("Choose some rows first.", "bad");
    await app.api.post(`/api/projects/${app.project.id}/review`, { document_ids: ids });
    say(`Submitted for review: ${ids.length}.`);
    await reload();
  }

  every(3, table.element, () => table.items.some(isUnsettled) && chosen().length === 0 && reload());
  const tools = [collection, state, button("Refresh", reload), button("Submit for review", submit, "main")];
  return h("section", { "aria-label": "Results" }, h("menu.tools", tools), table.element);
}
