import assert from "node:assert/strict";
import test from "node:test";

import { CHUNK, chunk, question, stored } from "../../../clients/web/site/content_range.js";

test("a chunk is a multiple of 256 KiB, the last one is what is left", () => {
  assert.equal(CHUNK % (256 * 1024), 0);
  assert.deepEqual(chunk(0, CHUNK + 5), { end: CHUNK, range: `bytes 0-${CHUNK - 1}/${CHUNK + 5}` });
  assert.deepEqual(chunk(CHUNK, CHUNK + 5), { end: CHUNK + 5, range: `bytes ${CHUNK}-${CHUNK + 4}/${CHUNK + 5}` });
  assert.deepEqual(chunk(7, 8), { end: 8, range: "bytes 7-7/8" });
});

test("chunks from any offset cover the file exactly", () => {
  const size = 3 * CHUNK + 1;
  let offset = 12_345;
  const ends = [];
  while (offset < size) ends.push((offset = chunk(offset, size).end));
  assert.deepEqual(ends, [12_345 + CHUNK, 12_345 + 2 * CHUNK, size]);
});

test("sizes beyond 32 bits stay exact", () => {
  const size = 5 * 2 ** 30;
  assert.equal(chunk(size - 1, size).range, `bytes ${size - 1}-${size - 1}/${size}`);
  assert.equal(stored(`bytes=0-${size - 1}`), size);
});

test("the storage tells the last byte it holds, or nothing at all", () => {
  assert.equal(question(42), "bytes */42");
  assert.equal(stored("bytes=0-41"), 42);
  assert.equal(stored("bytes=0-0"), 1);
  assert.equal(stored(null), 0);
  assert.equal(stored("bytes=5-41"), 0, "a range that does not begin at 0 says nothing of the beginning");
});
