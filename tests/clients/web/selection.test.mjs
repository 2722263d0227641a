import assert from "node:assert/strict";
import test from "node:test";

import { contentType, kindOf } from "../../../clients/web/site/content_types.js";
import { examine, fromInput } from "../../../clients/web/site/selection.js";

const found = (path, size = 1, type = "") => ({ path, file: { name: path.split("/").at(-1), size, type } });
const refusal = (...one) => examine([found(...one)]).refused[0]?.message;

test("a folder is its own root", () => {
  const file = (webkitRelativePath) => ({ webkitRelativePath, name: webkitRelativePath.split("/").at(-1) });
  const { name, found } = fromInput([file("letters/a.png"), file("letters/1999/b.png")]);
  assert.equal(name, "letters");
  assert.deepEqual(found.map(({ path }) => path), ["a.png", "1999/b.png"]);
});

test("loose files keep their names", () => {
  const { found } = fromInput([{ webkitRelativePath: "", name: "a.png" }, { webkitRelativePath: "", name: "b.png" }]);
  assert.deepEqual(found.map(({ path }) => path), ["a.png", "b.png"]);
});

test("names in any script are taken, in one form and one order", () => {
  const { files, refused } = examine([found("письмо.png"), found("Brief\u0308.pdf"), found("手紙/一.png")]);
  assert.deepEqual(files.map(({ path }) => path), ["Brief\u0308.pdf".normalize("NFC"), "письмо.png", "手紙/一.png"]);
  assert.deepEqual(refused, []);
});

test("what the platform would refuse is refused before it is sent, with the reason", () => {
  assert.match(refusal("empty.png", 0), /empty/);
  assert.match(refusal("huge.bin", 5 * 2 ** 30 + 1), /5 GiB/);
  assert.equal(refusal("large.bin", 5 * 2 ** 30), undefined);
  assert.match(refusal("drawing.svg"), /svg/);
  assert.match(refusal("tape.xyz", 1, "audio/x-unheard-of"), /x-unheard-of/);
  assert.match(refusal("a\\b.png"), /backslash/);
  assert.match(refusal("1:1 interview.mp3"), /drive/);
  assert.match(refusal("bell\u0007.png"), /control/);
  assert.match(refusal(`${"x".repeat(1025)}.txt`), /1024/);
});

test("two names that are one in another form of Unicode are one", () => {
  const { files, refused } = examine([found("\u00e9.png"), found("e\u0301.png")]);
  assert.deepEqual([files.length, refused.length], [1, 1]);
});

test("what systems leave in folders is left out without a word of blame", () => {
  const litter = [".DS_Store", "a/.git/config", "Thumbs.db", "~$x.doc"];
  const { files, refused, leftOut } = examine(litter.map((path) => found(path)));
  assert.deepEqual([files.length, refused.length, leftOut], [0, 0, 4]);
});

test("the name tells the type before the browser does", () => {
  assert.equal(contentType("Scan.TIF", "image/x-other"), "image/tiff");
  assert.equal(contentType("note.opus"), "audio/ogg");
  assert.equal(contentType("data.unknown", "application/x-thing"), "application/x-thing");
  assert.equal(contentType("README"), "application/octet-stream");
  const kinds = { "image/png": "document", "application/pdf": "document", "audio/wav": "voice", "text/csv": "file" };
  for (const [type, kind] of Object.entries(kinds)) assert.equal(kindOf(type), kind);
});
