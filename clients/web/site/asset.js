/** One document or recording: its text beside the page or the recording, and the decision on it. */

import { badge, button, h, say, select, show } from "./dom.js";
import { bytes, duration, moment, share } from "./format.js";

const COLLECTIONS = { document: "/api/documents", voice: "/api/voice" };
const REASONS = {
  "": "Reason to reject", unreadable: "unreadable", incomplete: "incomplete", wrong_text: "wrong text",
  wrong_content: "wrong content", duplicate: "duplicate", not_permitted: "not permitted", other: "other",
};

/** Opens it in a dialog; `changed` is called when its review is. */
export async function openAsset(app, { id, kind }, changed) {
  const path = `${COLLECTIONS[kind]}/${id}`;
  const asset = await app.api.get(path);
  const content = () => app.api.get(`${path}/content`);
  const link = asset.uploaded_at ? await content() : null;
  const open = async () => h("a", { href: (await content()).url, download: "" }).click();
  const decided = (said) => {
    dialog.close();
    say(said);
    return changed();
  };
  const dialog = h(
    "dialog.asset",
    { "aria-label": asset.name },
    h("header", h("h2", asset.name), badge(asset.state), button("Close", () => dialog.close())),
    h("div.sides", link && original(asset, link.url), h("div", text(asset), facts(asset))),
    h("footer", link && button("Open the file", open), review(app, asset, decided)),
  );
  show(dialog);
}

function original({ content_type, name }, url) {
  if (content_type.startsWith("image/")) return h("div.original", h("img", { src: url, alt: name }));
  return content_type.startsWith("audio/") && h("div.original", h("audio", { src: url, controls: true }));
}

function text(asset) {
  return [
    asset.error && h("p.bad", asset.error.message),
    h("pre.recognised", asset.text || "No text."),
    asset.text_truncated && h("p.quiet", "This is the beginning of the text."),
  ];
}

function facts({ confidence, language, pages, duration_seconds, size, uploaded_at, flags }) {
  const known = {
    confidence: confidence !== null && share(confidence),
    language,
    pages: pages && String(pages),
    length: duration_seconds && duration(duration_seconds),
    size: bytes(size),
    uploaded: uploaded_at && moment(uploaded_at),
    flags: flags.join(", "),
  };
  const told = Object.entries(known).filter(([, value]) => value);
  return h("dl", told.map(([name, value]) => [h("dt", name), h("dd", value)]));
}

function review(app, { id, uploader_id, review: { state, comment } }, decided) {
  if (state === "none") return null;
  if (state !== "submitted") return h("span.quiet", badge(state), comment && ` “${comment}”`);
  if (uploader_id === app.me.id) return h("span.quiet", "In review. Another person decides on what you uploaded.");
  const reason = select("Reason", REASONS);
  const remark = h("input", { "aria-label": "Comment", placeholder: "Comment", maxlength: 5000 });
  const decide = async (decision, more) => {
    const said = remark.value ? { comment: remark.value } : {};
    await app.api.patch(`/api/review/${id}`, { decision, ...said, ...more });
    await decided(decision === "approve" ? "Approved." : "Rejected.");
  };
  const reject = () => {
    if (!reason.value) return say("Choose a reason to reject.", "bad");
    return decide("reject", { reason: reason.value });
  };
  return [reason, remark, button("Reject", reject), button("Approve", () => decide("approve"), "main")];
}
