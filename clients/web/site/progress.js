/** How an upload goes: bytes, files by state, rate and time left, and what failed. */

import { badge, button, every, h } from "./dom.js";
import { bytes, count, duration } from "./format.js";

const HEADINGS = { running: "Sending", paused: "Paused", sent: "All sent, being read", over: "Done" };
const LISTED = 200; // problems that are shown; more are counted

/** Shows an upload as long as it is looked at; `again` is called to upload more. */
export function progress(upload, again) {
  return h("div", shown(upload, figures, () => actions(upload, again)));
}

/** Shows in brief what becomes of an upload that is sent, beside what else is done. */
export function brief(upload) {
  const figures = () => [heading(upload), processed(upload)];
  return h("div.brief", shown(upload, figures, () => (upload.state === "sent" ? [cancel(upload)] : [])));
}

function shown(upload, figures, actions) {
  const live = h("div.live");
  const controls = h("menu");
  const notice = h("p.bad", { role: "status" });
  const problems = h("div");
  let state = "";
  let failed = 0;
  const render = () => {
    live.replaceChildren(...figures(upload));
    if (state !== upload.state) controls.replaceChildren(...actions());
    state = upload.state;
    const said = upload.notice || upload.status?.failure?.message || "";
    if (notice.textContent !== said) notice.textContent = said;
    const all = [...upload.record.problems, ...(upload.status?.errors ?? [])];
    if (failed !== all.length) problems.replaceChildren(problemTable("failed", all));
    failed = all.length;
  };
  every(0.3, live, render);
  render();
  return [h("div.card", live, notice, controls), problems];
}

/** Files with what is wrong with each. */
export function problemTable(what, problems) {
  const rows = problems.slice(0, LISTED).map(({ path, message }) => h("tr", h("td", path), h("td", message)));
  const more = problems.length > LISTED && h("p.quiet", `… and ${problems.length - LISTED} more`);
  const title = `${count(problems.length, "file")} ${what}`;
  return h("div.card.problems", h("h2", title), h("table", h("tbody", rows)), more);
}

function figures(upload) {
  const { files, bytes: total, sent, sentBytes, failed } = upload.counts;
  const { files_processed, files_failed } = stats(upload);
  const states = { waiting: files - sent - failed, sent, processed: files_processed, failed: failed + files_failed };
  const told = Object.entries(states).map(([name, number]) => h("span", h("b", number.toLocaleString()), ` ${name}`));
  return [
    heading(upload),
    meter("Sent", total ? sentBytes / total : 0, `${bytes(sentBytes)} of ${bytes(total)}`),
    processed(upload),
    h("p.states", told),
    h("p.quiet", pace(upload.rate, total - sentBytes)),
  ];
}

function heading({ state, record, status }) {
  return h("h2", `${HEADINGS[state]}: ${record.name} `, state === "over" && status && badge(status.status));
}

function processed(upload) {
  const { files } = upload.record;
  const { files_processed: number } = stats(upload);
  return meter("Processed", number / (files || 1), `${number.toLocaleString()} of ${count(files, "file")}`);
}

function stats({ status }) {
  return status?.stats ?? { files_processed: 0, files_failed: 0 };
}

function pace(rate, left) {
  return rate > 0 && left > 0 ? `${bytes(rate)}/s, ${duration(left / rate)} left` : "";
}

function meter(label, part, text) {
  const line = h("progress", { max: 1, value: part, "aria-label": label });
  return h("div.meter", h("span", label), line, h("b", `${Math.floor(part * 100)} %`), h("small", text));
}

function actions(upload, again) {
  const stop = cancel(upload);
  const results = button("See results", () => void (location.hash = "results"), "main");
  const choices = {
    running: [stop, button("Pause", () => upload.pause())],
    paused: [stop, button("Go on", () => void upload.start(), "main")],
    sent: [stop, button("Upload more", again), results],
    over: [button("Upload more", again), results],
  };
  return choices[upload.state];
}

function cancel(upload) {
  return button("Cancel", () => upload.cancel());
}
