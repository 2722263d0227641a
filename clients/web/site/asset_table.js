/** A list of documents or recordings, a page at a time. */

import { openAsset } from "./asset.js";
import { attempt, badge, button, h } from "./dom.js";
import { bytes, duration, share } from "./format.js";

const PAGE = 50; // rows
const COLUMNS = ["", "Name", "State", "Confidence", "Text", "Extent", "Review"];

/** Whether the state of an asset will still change by itself. */
export function isUnsettled({ kind, state }) {
  return state === "pending" || state === "processing" || (state === "uploaded" && kind !== "file");
}

/**
 * The list that `query` (path and parameters) asks for, loaded when it is made. `first` gives what stands in front of
 * each row, `empty` is said when there is none. `load` loads it anew, `items` are those shown.
 */
export function assetTable(app, query, first, empty) {
  const rows = h("tbody");
  const more = button("More", () => load(token));
  const head = h("thead", h("tr", COLUMNS.map((name) => h("th", name))));
  const table = { element: h("div.card.scroll", h("table", head, rows), more), items: [], load: () => load() };
  let token = null;

  async function load(from = "") {
    const { path, ...parameters } = query();
    const page = await app.api.get(path, { ...parameters, page_size: PAGE, page_token: from });
    token = page.next_page_token;
    more.hidden = !token;
    table.items = from ? [...table.items, ...page.items] : page.items;
    const name = (item) => button(item.path, () => openAsset(app, item, load), "link");
    const shown = table.items.map((item) => row(item, first(item), name(item)));
    rows.replaceChildren(...(shown.length ? shown : [h("tr", h("td.empty", { colspan: COLUMNS.length }, empty))]));
  }

  more.hidden = true;
  attempt(load, rows);
  return table;
}

function row(item, first, name) {
  const text = h("td.text", item.error?.message ?? item.excerpt);
  const cells = [first, name, badge(item.state), share(item.confidence), text, extent(item), reviewState(item)];
  return h("tr", cells.map((cell) => (cell instanceof HTMLTableCellElement ? cell : h("td", cell))));
}

function extent({ pages, duration_seconds, size }) {
  if (pages) return `${pages} p.`;
  return duration_seconds ? duration(duration_seconds) : bytes(size);
}

function reviewState({ review }) {
  return review.state === "none" ? "–" : badge(review.state);
}
