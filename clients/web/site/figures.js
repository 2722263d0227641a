/** A project in figures: what was collected, recognised and reviewed. */

import { chart } from "./chart.js";
import { attempt, button, h } from "./dom.js";
import { bytes, count, duration, moment, share } from "./format.js";

export function figuresView(app) {
  const view = h("section", { "aria-label": "Figures" });
  const load = async () => {
    const found = await app.api.get("/api/analytics/summary", { project_id: app.project.id });
    view.replaceChildren(tools(found, load), tiles(found), charts(found), people(found));
  };
  attempt(load, view);
  return view;
}

function tools({ as_of, asked }, load) {
  const until = as_of ? `counted until ${moment(as_of)}` : "nothing is counted yet";
  return h("menu.tools", h("span.quiet", `${asked.since} to ${asked.until}, ${until}`), button("Refresh", load));
}

function tiles({ totals, now, currency }) {
  const money = { style: "currency", currency, maximumFractionDigits: 4 };
  const facts = {
    "files recognised": totals.files_processed.toLocaleString(),
    pages: totals.pages.toLocaleString(),
    "minutes heard": totals.minutes.toFixed(1),
    failed: totals.files_failed.toLocaleString(),
    "median time to the text": totals.time_to_text ? duration(totals.time_to_text.p50) : "–",
    approved: share(totals.approval_rate),
    stored: bytes(now?.stored_bytes ?? 0),
    "cost of recognition": totals.cost.toLocaleString(undefined, money),
  };
  return h("dl.tiles", Object.entries(facts).map(([name, value]) => h("div", h("dd", value), h("dt", name))));
}

function charts({ series }) {
  const days = series.map((slice) => ({
    day: slice.start,
    documents: slice.by_kind.document?.processed ?? 0,
    recordings: slice.by_kind.voice?.processed ?? 0,
    failed: slice.files_failed,
    uploaded: slice.bytes_uploaded,
  }));
  const files = (number) => count(number, "file");
  return h(
    "div.pair",
    chart("Files recognised, day by day", days, ["documents", "recordings", "failed"], files),
    chart("Bytes uploaded, day by day", days, ["uploaded"], bytes),
  );
}

function people({ top_contributors, top_reviewers }) {
  const line = ({ name, files }) => h("li", `${name ?? "Somebody"}: ${count(files, "file")}`);
  const lines = (found) => (found.length ? h("ol", found.map(line)) : h("p.quiet", "Nobody yet."));
  const list = (title, found) => h("div.card", h("h2", title), lines(found));
  return h("div.pair", list("Who uploaded", top_contributors), list("Who reviewed", top_reviewers));
}
