/** The queue of a project's reviews, the least certain first. */

import { openAsset } from "./asset.js";
import { assetTable } from "./asset_table.js";
import { button, h, select } from "./dom.js";

const STATES = { submitted: "submitted", approved: "approved", rejected: "rejected" };

export function reviewView(app) {
  const refresh = () => table.refresh();
  const state = select("State", STATES, () => table.load());
  const look = (item) => button("Look", () => openAsset(app, item, refresh));
  const query = () => ({ path: "/api/review", project_id: app.project.id, state: state.value });
  const table = assetTable(app, query, look, "Nothing waits for a review.");
  return h("section", { "aria-label": "Review" }, h("menu.tools", state, button("Refresh", refresh)), table.element);
}
