/** One upload: checks files, announces them page by page, sends several at once, and follows what becomes of them. */

import { ApiError, SignedOut } from "./api.js";
import { Grants } from "./grants.js";
import { Hasher } from "./hashing.js";
import { sleep } from "./retry.js";
import { FileProblem, transfer } from "./transfer.js";

const PAGE_FILES = 1000; // in one manifest page, the platform's limit
const PAGE_BYTES = 256 * 2 ** 20; // after which a page is announced early, so that the sending of large files begins
const NAME_LIMIT = 200; // characters of a session's name, the platform's limit
const JOBS = 6; // files sent at a time: as many connections as browsers open to one host
const CHECKED_AHEAD = 32; // files whose checksums are computed or wait to be announced
const FINAL = new Set(["completed", "failed", "cancelled"]);
const POLL = { shortest: 0.5, longest: 5 }; // seconds between two questions for the status

/** Why the sending stopped when the person wanted it to. */
class Paused extends Error {}

export class Upload {
  state = "paused"; // running, paused, sent (the platform works on it), over
  status = null; // what the platform says of the job
  notice = ""; // why it stopped, or waits
  checked = 0; // bytes
  rate = 0; // bytes a second, smoothed
  #api;
  #journal;
  #stop = new AbortController();
  #running = Promise.resolve();
  #following = null;
  #grants;

  /**
   * `record` is what the journal keeps of it; its problems are those of files that could not be sent. `items` are the
   * files, each with its `state`: new, announced, sent or failed.
   */
  constructor(api, journal, record, items = []) {
    Object.assign(this, { record, items });
    this.#api = api;
    this.#journal = journal;
    const renewal = `/api/uploads/${record.id}/urls`;
    this.#grants = new Grants((ids) => api.post(renewal, { asset_ids: ids }, this.#stop.signal));
    if (record.sent) this.state = "sent";
  }

  /** A new upload of these files; `order` names project, cycle, owner, name and handles. */
  static async begin(api, journal, order, files) {
    const { project, cycle } = order;
    const name = order.name.slice(0, NAME_LIMIT);
    const cycleOrNone = cycle ? { cycle_id: cycle } : {};
    const session = await api.post("/api/sessions", { project_id: project.id, name, ...cycleOrNone });
    const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
    const totals = { files: files.length, bytes, began: Date.now() };
    const record = { ...order, ...totals, id: session.id, problems: [], sent: false, closed: false };
    await journal.keep(record);
    return new Upload(api, journal, record, files.map(fresh));
  }

  /** An upload that a reload interrupted, with its files chosen again. */
  static async again(api, journal, record, files) {
    const known = await journal.files(record.id);
    if (!files.some(({ path }) => known.has(path))) throw new Error("These are not the files of this upload.");
    const items = files.map((file) => ({ ...fresh(file), ...recognised(file, known.get(file.path)) }));
    record.problems = [];
    return new Upload(api, journal, record, items);
  }

  /** Files and bytes by what became of them; bytes count while they are on their way. */
  get counts() {
    const { files, bytes, problems, sent } = this.record;
    const counts = { files, bytes, sent: 0, sentBytes: 0, failed: problems.length };
    if (sent) return { ...counts, sent: files - counts.failed, sentBytes: bytes };
    for (const item of this.items) {
      if (item.state === "sent") counts.sent += 1;
      counts.sentBytes += item.sent;
    }
    return counts;
  }

  /** Sends what is not there yet. Resolves when it is all sent, or stopped. */
  start() {
    this.#following ??= this.#follow()
      .catch((error) => (this.notice = error.message))
      .finally(() => (this.#following = null));
    if (this.state !== "paused") return this.#running;
    this.state = "running";
    this.notice = "";
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const elsewhere = new Error("Another tab is sending this upload.");
    const run = (lock) => (lock ? this.#run(signal) : this.#paused(elsewhere));
    this.#running = navigator.locks.request(`alta-${this.record.id}`, { ifAvailable: true }, run);
    return this.#running;
  }

  /** Stops at once; a large file goes on later where it stands. */
  pause() {
    this.#stop.abort(new Paused());
    return this.#running;
  }

  /** Stops for good: what has not come fails as cancelled. */
  async cancel() {
    await this.pause();
    await this.#api.post(`/api/uploads/${this.record.id}/cancel`).catch((error) => {
      if (error.status !== 404 && error.status !== 409) throw error; // gone, or at its end already
    });
    this.notice = "Cancelled.";
    await this.#over();
  }

  async #run(signal) {
    const meter = setInterval(this.#meter(), 1000);
    const ready = this.#ready(signal);
    const senders = Array.from({ length: JOBS }, () => this.#send(ready, signal));
    try {
      await Promise.all(senders);
      this.state = "sent";
      this.items = [];
      await this.#journal.keep(Object.assign(this.record, { sent: true }));
    } catch (error) {
      this.#stop.abort(error);
      await Promise.allSettled([...senders, ready.return()]);
      this.#paused(error);
    } finally {
      clearInterval(meter);
      this.rate = 0;
    }
  }

  #paused(reason) {
    this.state = "paused";
    this.notice = reason instanceof Paused ? "" : reason.message;
  }

  #meter() {
    let before = this.counts.sentBytes;
    return () => {
      const { sentBytes } = this.counts;
      this.rate = this.rate * 0.8 + Math.max(0, sentBytes - before) * 0.2;
      before = sentBytes;
    };
  }

  // --- check and announce

  /** The files that can be sent, as they become so. The next page is prepared while the last is being sent. */
  async *#ready(signal) {
    yield* this.items.filter((item) => item.state === "announced");
    const hasher = new Hasher(signal);
    const pages = this.#pages(hasher);
    let next = this.#announced(pages);
    try {
      for (let page = await next; page; page = await next) {
        next = this.#announced(pages);
        next.catch(() => {}); // it is heard of when it is awaited
        yield* page.filter((item) => item.state === "announced");
      }
    } finally {
      await Promise.allSettled([next]);
      hasher.close();
    }
  }

  /** Announces the next page; null when there is none. */
  async #announced(pages) {
    const { value } = await pages.next();
    if (!value) return null;
    const answers = new Map((await this.#offer(value.page, value.more)).map((answer) => [answer.path, answer]));
    for (const item of value.page) this.#take(item, answers.get(item.path));
    if (!value.more) await this.#journal.keep(Object.assign(this.record, { closed: true }));
    const announced = value.page.filter((item) => item.state === "announced");
    await this.#journal.keepFiles(announced.map((item) => this.#row(item)));
    return value.page;
  }

  #take(item, answer) {
    if (!answer) return;
    item.assetId = answer.asset_id;
    if (answer.upload) {
      item.state = "announced";
      this.#grants.set(item.assetId, answer.upload);
    } else if (answer.state === "failed") this.#failed(item, "The platform does not take this file.");
    else Object.assign(item, { state: "sent", sent: item.file.size });
  }

  async *#pages(hasher) {
    let page = [];
    let bytes = 0;
    for await (const item of this.#checked(hasher)) {
      if (page.length === PAGE_FILES || bytes >= PAGE_BYTES) {
        yield { page, more: true };
        page = [];
        bytes = 0;
      }
      page.push(item);
      bytes += item.file.size;
    }
    // The last page closes the manifest, and holds at least one file: a known one is named once more.
    if (page.length === 0 && !this.record.closed) page = this.items.filter((item) => item.crc32c).slice(-1);
    if (page.length > 0) yield { page, more: false };
  }

  async *#checked(hasher) {
    const ahead = [];
    for (const item of this.items.filter(({ state }) => state === "new")) {
      const checking = this.#check(item, hasher);
      checking.catch(() => {}); // it is heard of when it is awaited
      ahead.push(checking);
      if (ahead.length === CHECKED_AHEAD) yield* await ahead.shift();
    }
    for (const checking of ahead) yield* await checking;
  }

  /** The file with its checksum, or none when it can't be read. */
  async #check(item, hasher) {
    try {
      item.crc32c ??= await hasher.checksum(item.file);
      this.checked += item.file.size;
      return [item];
    } catch (error) {
      hasher.signal.throwIfAborted();
      this.#failed(item, `The file can't be read: ${error.message}`);
      return [];
    }
  }

  /** Announces files; those that the platform names as unacceptable are left out. */
  async #offer(page, more) {
    const files = page.map(({ path, file, type, crc32c }) => ({ path, size: file.size, content_type: type, crc32c }));
    const start = { session_id: this.record.id, files, expect_more: more };
    try {
      // A start is repeatable, and further ones add to the same job.
      return (await this.#api.post("/api/uploads/start", start, this.#stop.signal)).files;
    } catch (error) {
      const refused = error instanceof ApiError && error.status === 422 ? refusedIn(error, page) : [];
      if (refused.length === 0) throw error;
      for (const [item, message] of refused) this.#failed(item, message);
      const rest = page.filter((item) => item.state !== "failed");
      return rest.length ? this.#offer(rest, more) : [];
    }
  }

  /** `awaited`: the platform waits for the file, which will not come. */
  #failed(item, message, awaited = false) {
    Object.assign(item, { state: "failed", sent: 0 });
    this.record.problems.push({ path: item.path, message, awaited });
  }

  // --- send

  async #send(ready, signal) {
    const context = {
      signal,
      grants: this.#grants,
      remember: (item) => this.#journal.keepFiles([this.#row(item)]),
      waiting: (reason, seconds) => (this.notice = `Waiting ${Math.ceil(seconds)} s: ${reason}.`),
    };
    for (;;) {
      signal.throwIfAborted();
      const { value: item, done } = await ready.next();
      if (done) return;
      await this.#sendOne(item, context);
    }
  }

  async #sendOne(item, context) {
    try {
      await transfer(item, context);
      Object.assign(item, { state: "sent", sent: item.file.size });
      this.notice = "";
    } catch (error) {
      if (!(error instanceof FileProblem)) throw error;
      this.#failed(item, error.message, true);
    }
  }

  #row({ path, file, crc32c, uri }) {
    return { upload: this.record.id, path, size: file.size, changed: file.lastModified, crc32c, uri };
  }

  // --- follow

  /** Asks for the status until it is final, more seldom while there are no news. */
  async #follow() {
    let gap = POLL.shortest;
    let etag = "";
    while (this.state !== "over") {
      const news = await this.#news(etag);
      gap = news ? POLL.shortest : Math.min(gap * 1.5, POLL.longest);
      if (news) ({ value: this.status, etag } = news);
      if (this.state === "sent" && this.#settled()) await this.#over();
      else await sleep(gap);
    }
  }

  async #news(etag) {
    try {
      return await this.#api.news(`/api/uploads/status/${this.record.id}`, etag);
    } catch (error) {
      if (error instanceof ApiError || error instanceof SignedOut) throw error;
      this.notice = error.message;
      return null;
    }
  }

  /** Whether all is final. A file that was announced and will not come is not waited for. */
  #settled() {
    if (!this.status) return false;
    const { files_total, files_processed, files_failed } = this.status.stats;
    const missing = this.record.problems.filter(({ awaited }) => awaited).length;
    return FINAL.has(this.status.status) || (missing > 0 && files_processed + files_failed >= files_total - missing);
  }

  async #over() {
    this.state = "over";
    await this.#journal.forget(this.record.id);
  }
}

function fresh({ path, file, type }) {
  return { path, file, type, state: "new", sent: 0 };
}

/** What is known of a file that did not change since. */
function recognised({ file }, row) {
  return row?.size === file.size && row.changed === file.lastModified ? { crc32c: row.crc32c, uri: row.uri } : {};
}

/** The files that a refusal is about, each with what is wrong; none when it is about the request. */
function refusedIn(error, page) {
  const details = Array.isArray(error.details) ? error.details : [];
  return details.flatMap((detail) => {
    const index = detail.index ?? /^files\.(\d+)\b/.exec(detail.field ?? "")?.[1];
    return page[index] ? [[page[index], detail.message]] : [];
  });
}
