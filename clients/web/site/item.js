/** Files on their way: what is known of them, how they are announced, and what a refusal says of them. */

import { contentType } from "./content_types.js";

/** How many files these are, and their bytes. */
export function totals(files) {
  return { files: files.length, bytes: files.reduce((sum, { file }) => sum + file.size, 0) };
}

/** A file to be sent, and what is known of it: one that did not change since is not checked again, nor sent. */
export function itemOf({ path, file, type }, known = null) {
  const item = { path, file, type, known, state: "new", sent: 0 };
  if (known?.size !== file.size || known.changed !== file.lastModified) return item;
  const { crc32c, uri, sent } = known;
  return { ...item, crc32c, uri, ...(sent ? { state: "sent", sent: file.size } : {}) };
}

/** A file that is known, and can't be sent any more: it was not chosen again. */
export function notChosen({ path, size, sent }) {
  return { path, file: { size }, state: sent ? "sent" : "failed", sent: sent ? size : 0, absent: true };
}

/** The file as another session takes it. */
export function anew({ path, file, type, crc32c }) {
  return { ...itemOf({ path, file, type }), crc32c };
}

/** Whether the platform waits for a file that this one took the place of. */
export function replaces({ known, crc32c }) {
  return known && !known.sent && known.crc32c !== crc32c;
}

/** The file as it is announced. */
export function entryOf({ path, file: { size }, type, crc32c }) {
  return { path, size, content_type: type, crc32c };
}

/** A file that is known, as it is announced. */
export function knownEntry({ path, size, crc32c }) {
  return { path, size, content_type: contentType(path), crc32c };
}

/** The files that a refusal is about, each with what is wrong; none when it is about the request. */
export function refusedIn(error, page) {
  const details = Array.isArray(error.details) ? error.details : [];
  return details.flatMap((detail) => {
    const index = detail.index ?? /^files\.(\d+)\b/.exec(detail.field ?? "")?.[1];
    return page[index] ? [[page[index], detail.message]] : [];
  });
}
