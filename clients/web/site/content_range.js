/** Chunks of resumable uploads (https://cloud.google.com/storage/docs/performing-resumable-uploads). */

/** Bytes in one chunk: a multiple of 256 KiB, as the storage wants it. */
export const CHUNK = 8 * 2 ** 20;

/** The `Content-Range` that asks how much of an object of this size the storage holds. */
export function question(size) {
  return `bytes */${size}`;
}

/** The next chunk from this offset on: where it ends (exclusive), and its `Content-Range`. */
export function chunk(offset, size) {
  const end = Math.min(offset + CHUNK, size);
  return { end, range: `bytes ${offset}-${end - 1}/${size}` };
}

/** How many bytes the storage holds for good: `bytes=0-41` means 42, no `Range` header means none. */
export function stored(range) {
  const found = /^bytes=0-(\d+)$/.exec(range ?? "");
  return found ? Number(found[1]) + 1 : 0;
}
