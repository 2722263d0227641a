/** What outlives a reload: the uploads under way and their files, in IndexedDB. */

const VERSION = 1;

/** The result of an IndexedDB request. */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
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
   * Keeps an upload: id of its session, owner, project, name, handles, counts, and whether all its bytes are sent.
   * @param {{id: string, owner: string}} upload
   */
  async keep(upload) {
    await done(this.#store("uploads", "readwrite").put(upload));
  }

  /** The uploads of this owner, the newest last. */
  async of(owner) {
    const all = await done(this.#store("uploads", "readonly").getAll());
    return all.filter((upload) => upload.owner === owner).sort((a, b) => a.began - b.began);
  }

  /**
   * Keeps files of an upload: size and time of change by which they are known again, checksum, session URI.
   * @param {{upload: string, path: string, size: number, changed: number, crc32c: string, uri?: string}[]} files
   */
  async keepFiles(files) {
    const store = this.#store("files", "readwrite");
    for (const file of files) store.put(file);
    await new Promise((resolve, reject) => {
      store.transaction.oncomplete = resolve;
      store.transaction.onerror = () => reject(store.transaction.error);
    });
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
