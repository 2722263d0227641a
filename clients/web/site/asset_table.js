/** A list of documents or recordings, a page at a time. */

import { PAGE_SIZE } from "./api.js";
import { openAsset } from "./asset.js";
import { arrange, attempt, badge, button, h } from "./dom.js";
import { bytes, duration, share } from "./format.js";

const PAGE = 50; // rows
const FACTS = ["State", "Confidence", "Text", "Extent", "Review"];
const COLUMNS = ["", "Name", ...FACTS];

/** Whether the state of an asset will still change by itself. */
export function isUnsettled({ kind, state }) {
  return state === "pending" || state === "processing" || (state === "uploaded" && kind !== "file");
}

/**
 * The list that `query` (path and parameters) asks for, loaded when it is made. `first` gives what stands in front of
 * each row, `empty` is said when there is none. `load` shows its first page, `refresh` as much of it as was shown;
 * `items` are those shown, `busy` tells whether more of it is being read.
 */
export function assetTable(app, query, first, empty) {
  const body = h("tbody");
  const nothing = h("tr", h("td.empty", { colspan: COLUMNS.length }, empty));
  const more = button("More", async () => render(await read(PAGE, token), table.items), "", { hidden: true });
  const head = h("thead", h("tr", COLUMNS.map((name) => h("th", name))));
  const element = h("div.card.scroll", h("table", head, body), more);
  const load = async () => render(await read(PAGE));
  const refresh = async () => render(await read(Math.max(PAGE, table.items.length)));
  const table = { element, items: [], load, refresh, get busy() { return reading !== null; } };
  let rows = new Map(); // by id of the asset
  let token = null; // of the page behind those shown
  let reading = null; // the newest; what another one brings is too old to be shown

  /** So many items, from a page on; null when another reading has begun meanwhile. */
  async function read(wanted, from = "") {
    const turn = (reading = Symbol("turn"));
    const { path, ...parameters } = query();
    const found = { items: [], next: from };
    try {
      do {
        const page_size = Math.min(wanted - found.items.length, PAGE_SIZE);
        const page = await app.api.get(path, { ...parameters, page_size, page_token: found.next });
        found.items.push(...page.items);
        found.next = page.next_page_token;
      } while (found.next && found.items.length < wanted);
      return reading === turn ? found : null;
    } finally {
      if (reading === turn) reading = null;
    }
  }

  /** Shows what was read behind what is kept. Rows stay the elements that they are, with the focus and the marks. */
  function render(found, kept = []) {
    if (!found) return;
    token = found.next;
    more.hidden = !token;
    table.items = [...kept, ...found.items];
    const before = rows;
    rows = new Map(table.items.map((item) => [item.id, before.get(item.id) ?? row(item)]));
    for (const item of table.items) rows.get(item.id).tell(item);
    arrange(body, table.items.length > 0 ? [...rows.values()].map(({ element }) => element) : [nothing]);
  }

  function row(item) {
    const name = button(item.path, () => openAsset(app, item, refresh), "link");
    const facts = FACTS.map((fact) => h(`td.${fact.toLowerCase()}`));
    const tell = (item) => told(item).forEach((content, index) => facts[index].replaceChildren(content));
    return { element: h("tr", h("td", first(item)), h("td", name), facts), tell };
  }

  attempt(load, element);
  return table;
}

function told(item) {
  const { state, confidence, error, excerpt } = item;
  return [badge(state), share(confidence), error?.message ?? excerpt, extent(item), reviewState(item)];
}

function extent({ pages, duration_seconds, size }) {
  if (pages) return `${pages} p.`;
  return duration_seconds ? duration(duration_seconds) : bytes(size);
}

function reviewState({ review }) {
  return review.state === "none" ? "–" : badge(review.state);
}
