/** What outlives a reload: the uploads under way and their files, in IndexedDB. */

const VERSION = 1;

/** The result of an IndexedDB request. */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function ended(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

export class Journal {
  #database;

  constructor(database) {
    this.#database = database;
  }

  static async open() {
    const opening = indexedDB.open("alta-console", VERSION);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("uploads", { keyPath: "id" });
      opening.result.createObjectStore("files", { keyPath: ["upload", "path"] });
    };
    return new Journal(await done(opening));
  }

  /**
   * Keeps an upload: id of its session, owner, project, name, handles, counts, and whether all its bytes are sent; and
   * the files of which that tells, both or neither.
   * @param {{id: string, owner: string}} upload
   * @param {Kept[]} files
   */
  async keep(upload, files = []) {
    const writing = this.#database.transaction(["uploads", "files"], "readwrite");
    writing.objectStore("uploads").put(upload);
    for (const file of files) writing.objectStore("files").put(file);
    await ended(writing);
  }

  /** The uploads of this owner, the newest last. */
  async of(owner) {
    const all = await done(this.#store("uploads", "readonly").getAll());
    return all.filter((upload) => upload.owner === owner).sort((a, b) => a.began - b.began);
  }

  /**
   * Keeps a file that was announced: size and time of change by which it is known again, checksum, session URI, and
   * whether the platform waits for its bytes no more.
   * @typedef {{upload: string, path: string, size: number, changed: number, crc32c: string, uri?: string,
   *   sent: boolean}} Kept
   * @param {Kept} file
   */
  async keepFile(file) {
    await done(this.#store("files", "readwrite").put(file));
  }

  /** The files of an upload by path. */
  async files(id) {
    const found = await done(this.#store("files", "readonly").getAll(filesOf(id)));
    return new Map(found.map((file) => [file.path, file]));
  }

  async forget(id) {
    await done(this.#store("files", "readwrite").delete(filesOf(id)));
    await done(this.#store("uploads", "readwrite").delete(id));
  }

  #store(name, mode) {
    return this.#database.transaction(name, mode).objectStore(name);
  }
}

function filesOf(id) {
  return IDBKeyRange.bound([id, ""], [id, []]); // arrays sort behind all strings
}
