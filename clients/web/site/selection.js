/** What a person chose or dropped: which files go up, under which names, and which can't. */

import { SUPPORTED, contentType, kindOf } from "./content_types.js";

const FILE_LIMIT = 5 * 2 ** 30; // bytes, the platform's
const PATH_LIMIT = 1024; // characters, the platform's
const LITTER = new Set(["thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "$recycle.bin"]);

/** @typedef {{path: string, file: File}} Found */

/** The files of an `<input type=file>`, and the name of the folder when it was one. */
export function fromInput(files) {
  const found = [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return withoutRoot(found);
}

/**
 * What was dropped, and its handles where the browser has them: with these, an upload goes on after a reload without
 * choosing the folder again. What is dropped can be read only now, so the items are taken before anything is awaited.
 * @param {DataTransfer} dropped
 */
export async function fromDrop(dropped) {
  const items = [...dropped.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry());
  const handles = await Promise.all(items.map((item) => item.getAsFileSystemHandle?.()));
  if (handles.every(Boolean)) return { ...(await fromHandles(handles)), handles };
  const found = [];
  for (const entry of entries) await walkEntry(entry, "", found);
  return { ...withoutRoot(found), handles: [] };
}

/** The files behind handles that were kept. */
export async function fromHandles(handles) {
  const found = [];
  for (const handle of handles) await walkHandle(handle, "", found);
  return withoutRoot(found);
}

async function walkHandle(handle, prefix, found) {
  const path = prefix + handle.name;
  if (handle.kind === "file") found.push({ path, file: await handle.getFile() });
  else for await (const child of handle.values()) await walkHandle(child, `${path}/`, found);
}

async function walkEntry(entry, prefix, found) {
  const path = prefix + entry.name;
  if (entry.isFile) {
    found.push({ path, file: await new Promise((resolve, reject) => entry.file(resolve, reject)) });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // up to 100 at a time
    if (some.length === 0) return;
    for (const child of some) await walkEntry(child, `${path}/`, found);
  }
}

/** One folder is its own root: paths are relative to it. */
function withoutRoot(found) {
  const roots = new Set(found.map(({ path }) => (path.includes("/") ? path.split("/")[0] : "")));
  const [root] = roots;
  if (roots.size !== 1 || !root) return { name: found.length === 1 ? found[0].path : "Files", found };
  return { name: root, found: found.map(({ path, file }) => ({ path: path.slice(root.length + 1), file })) };
}

/**
 * Tells what can be sent from what can't, before anything is sent.
 * @param {Found[]} found
 */
export function examine(found) {
  const files = [];
  const refused = [];
  const seen = new Set();
  let leftOut = 0;
  for (const { path: raw, file } of found) {
    const path = raw.normalize("NFC");
    if (path.split("/").some(isLitter)) {
      leftOut += 1;
      continue;
    }
    const type = contentType(path, file.type);
    const reason = seen.has(path) ? "Another file has the same name." : trouble(path, file.size, type);
    seen.add(path);
    if (reason) refused.push({ path, message: reason });
    else files.push({ path, file, type });
  }
  const inOrder = (a, b) => (a.path < b.path ? -1 : 1);
  return { files: files.sort(inOrder), refused: refused.sort(inOrder), leftOut };
}

function isLitter(name) {
  return name.startsWith(".") || name.startsWith("~$") || LITTER.has(name.toLowerCase());
}

/** Why the platform would not take this file; empty when it would. */
export function trouble(path, size, type) {
  if (size === 0) return "The file is empty.";
  if (size > FILE_LIMIT) return "The file is larger than 5 GiB.";
  if (kindOf(type) !== "file" && !SUPPORTED.has(type)) return `${type} can't be recognised.`;
  if (path.length > PATH_LIMIT) return `The path is longer than ${PATH_LIMIT} characters.`;
  if (path[1] === ":") return "The name begins like that of a drive.";
  if (!path.isWellFormed() || /[\p{Cc}\\]/u.test(path)) return "The name has control characters or backslashes.";
  return "";
}
