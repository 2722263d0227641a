/** Computes the checksum of one file after the other, a slice in memory at a time. */

import { encode, extend } from "./crc32c.js";

const SLICE = 4 * 2 ** 20; // bytes

let last = Promise.resolve();

addEventListener("message", ({ data }) => {
  last = last.then(() => answer(data));
});

async function answer({ id, file }) {
  try {
    postMessage({ id, crc32c: await checksum(file) });
  } catch (error) {
    postMessage({ id, error: error.message });
  }
}

async function checksum(file) {
  let crc = 0;
  for (let offset = 0; offset < file.size; offset += SLICE) {
    crc = extend(crc, new Uint8Array(await file.slice(offset, offset + SLICE).arrayBuffer()));
  }
  return encode(crc);
}
