/** Checksums of files, in a few workers, so that the page stays quick and no file is ever in memory whole. */

const WORKERS = Math.min(4, navigator.hardwareConcurrency || 2);

export class Hasher {
  #workers = [];
  #asked = new Map();
  #next = 0;

  /** When the signal is aborted, so is every checksum under way. */
  constructor(signal) {
    this.signal = signal;
    signal.addEventListener("abort", () => this.close());
  }

  /** The CRC32C of a file in base 64. Rejects when the file can't be read. */
  checksum(file) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.signal.throwIfAborted();
      this.#asked.set(id, { resolve, reject });
      this.#worker(id % WORKERS).postMessage({ id, file });
    });
  }

  /** Ends the workers. */
  close() {
    for (const worker of this.#workers) worker?.terminate();
    for (const { reject } of this.#asked.values()) reject(this.signal.reason);
    this.#asked.clear();
  }

  #worker(number) {
    this.#workers[number] ??= this.#start();
    return this.#workers[number];
  }

  #start() {
    const worker = new Worker(new URL("hashing.worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }) => this.#heard(data));
    return worker;
  }

  #heard({ id, crc32c, error }) {
    const { resolve, reject } = this.#asked.get(id);
    this.#asked.delete(id);
    if (error === undefined) resolve(crc32c);
    else reject(new Error(error));
  }
}
