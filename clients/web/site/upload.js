/** One upload: checks files, announces them page by page, sends several at once, and follows what becomes of them. */

import { ApiError } from "./api.js";
import { waiting } from "./format.js";
import { Grants } from "./grants.js";
import { Hasher } from "./hashing.js";
import { anew, entryOf, itemOf, knownEntry, notChosen, refusedIn, replaces, totals } from "./item.js";
import { Unreachable, sleep } from "./retry.js";
import { FileProblem, transfer } from "./transfer.js";

const PAGE_FILES = 1000; // in one manifest page, the platform's limit
const PAGE_BYTES = 256 * 2 ** 20; // after which a page is announced early, so that the sending of large files begins
const NAME_LIMIT = 200; // characters of a session's name, the platform's limit
const JOBS = 6; // files sent at a time: as many connections as browsers open to one host
const CHECKED_AHEAD = 32; // files whose checksums are computed or wait to be announced
const POLL = { shortest: 0.5, longest: 5 }; // seconds between two questions for the status

/** States of a session that do not change any more, and which files are to be sent all the same, to another session. */
const LEFT = {
  completed: () => false,
  failed: ({ state }) => state !== "sent",
  cancelled: () => true, // what had come but was not taken in yet went too
  removed: () => true, // our own word: the platform knows no such session
};

/** Why the sending stopped when the person wanted it to. */
class Paused extends Error {}

export class Upload {
  state = "paused"; // running, paused, sent (the platform works on it), over
  status = null; // what the platform says of the job
  notice = ""; // why it stopped, or waits
  rate = 0; // bytes a second, smoothed
  #api;
  #journal;
  #stop = new AbortController();
  #running = Promise.resolve();
  #following = null;
  #etag = ""; // of `status`
  #grants;

  /**
   * `record` is what the journal keeps of it; its problems are those of files that could not be sent. `items` are the
   * files, each with its `state`: new, announced, sent or failed.
   */
  constructor(api, journal, record, items = []) {
    this.#api = api;
    this.#journal = journal;
    this.#enter(record, items);
    if (record.sent) this.state = "sent";
  }

  /** A new upload of these files; `order` names project, cycle, owner, name and handles. */
  static async begin(api, journal, order, files) {
    return new Upload(api, journal, await opened(api, journal, order, files), files.map((file) => itemOf(file)));
  }

  /** An upload that a reload interrupted, with its files chosen again. */
  static async again(api, journal, record, files) {
    const known = await journal.files(record.id);
    const chosen = new Set(files.map(({ path }) => path));
    const others = [...known.values()].filter(({ path }) => !chosen.has(path));
    if (known.size > 0 && others.length === known.size) throw new Error("These are not the files of this upload.");
    const items = [...files.map((file) => itemOf(file, known.get(file.path))), ...others.map(notChosen)];
    const problems = items.filter(({ state }) => state === "failed");
    const message = "The file is not among those that were chosen now.";
    Object.assign(record, totals(items), { problems: problems.map(({ path }) => ({ path, message })) });
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
    if (this.state === "sent") this.#watch();
    if (this.state !== "paused") return this.#running;
    this.state = "running";
    this.notice = "";
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const elsewhere = new Error("Another tab is sending this upload.");
    const run = (lock) => (lock ? this.#run(signal) : this.#paused(elsewhere));
    // When it began is the same in all tabs, and when it goes on in another session.
    this.#running = navigator.locks.request(`alta-${this.record.began}`, { ifAvailable: true }, run);
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
    await this.#end("Cancelled.");
  }

  async #run(signal) {
    try {
      await this.#resume();
      if (this.state === "over") return;
      this.#watch();
      await this.#sendAll(signal);
      await this.#conclude();
    } catch (error) {
      this.#paused(error);
    }
  }

  /** Looks where the session stands: it may have ended meanwhile, and then another one takes what is left. */
  async #resume() {
    await this.#news(this.#asker);
    const { status } = this.status;
    if (!(status in LEFT)) return;
    const left = this.items.filter((item) => !item.absent && LEFT[status](item));
    if (status === "completed") this.record.problems = []; // it has all that it waited for
    if (left.length === 0) {
      this.record.sent = true;
      return this.#over();
    }
    const { id } = this.record;
    this.#enter(await opened(this.#api, this.#journal, this.record, left), left.map(anew));
    await this.#journal.forget(id);
  }

  /** From now on the files of this record's session are these. */
  #enter(record, items) {
    Object.assign(this, { record, items, status: null });
    this.#etag = "";
    const renewal = `/api/uploads/${record.id}/urls`;
    this.#grants = new Grants((ids) => this.#api.post(renewal, { asset_ids: ids }, this.#asker));
  }

  async #sendAll(signal) {
    const meter = setInterval(this.#meter(), 1000);
    const ready = this.#ready(signal);
    const senders = Array.from({ length: JOBS }, () => this.#send(ready, signal));
    try {
      await Promise.all(senders);
    } catch (error) {
      this.#stop.abort(error);
      await Promise.allSettled([...senders, ready.return()]);
      throw error;
    } finally {
      clearInterval(meter);
      this.rate = 0;
    }
  }

  /** Keeps what the session waits for: the files announced to it, and those among them that nobody brings any more. */
  async #conclude() {
    const rows = [...(await this.#journal.files(this.record.id)).values()];
    const { replaced } = this.record;
    const announced = rows.length + replaced;
    if (announced === 0) return this.#end("Nothing could be sent.");
    const missing = rows.filter(({ sent }) => !sent).length + replaced;
    await this.#journal.keep(Object.assign(this.record, { sent: true, announced, missing }));
    this.state = "sent";
    this.items = [];
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
    const { page, more } = value;
    const answers = new Map((await this.#offer(page, more)).map((answer) => [answer.path, answer]));
    const answered = page.filter(({ path }) => answers.has(path));
    for (const item of answered) this.#take(item, answers.get(item.path));
    this.record.closed = !more;
    this.record.replaced += answered.filter(replaces).length;
    await this.#journal.keep(this.record, answered.map((item) => this.#row(item)));
    this.notice = "";
    return page;
  }

  #take(item, answer) {
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
    if (page.length > 0 || !this.record.closed) yield { page, more: false };
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
      return [item];
    } catch (error) {
      hasher.signal.throwIfAborted();
      this.#failed(item, `The file can't be read: ${error.message}`);
      return [];
    }
  }

  /** Announces files; those that the platform names as unacceptable are left out. */
  async #offer(page, more) {
    const files = page.length > 0 || more ? page.map(entryOf) : await this.#closing();
    if (files.length === 0) return [];
    const start = { session_id: this.record.id, files, expect_more: more };
    try {
      // A start is repeatable, and further ones add to the same job.
      return (await this.#api.post("/api/uploads/start", start, this.#asker)).files;
    } catch (error) {
      const refused = error instanceof ApiError && error.status === 422 ? refusedIn(error, page) : [];
      if (refused.length === 0) throw error;
      for (const [item, message] of refused) this.#failed(item, message);
      return this.#offer(page.filter((item) => item.state !== "failed"), more);
    }
  }

  /** The platform waits for a last page, and a page holds at least one file: a known one is named once more. */
  async #closing() {
    const [known] = (await this.#journal.files(this.record.id)).values();
    return known ? [knownEntry(known)] : [];
  }

  #failed(item, message) {
    Object.assign(item, { state: "failed", sent: 0 });
    this.record.problems.push({ path: item.path, message });
  }

  // --- send

  async #send(ready, signal) {
    const context = {
      signal,
      grants: this.#grants,
      remember: (item) => this.#journal.keepFile(this.#row(item)),
      waiting: this.#waiting,
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
      await this.#journal.keepFile({ ...this.#row(item), sent: true });
      Object.assign(item, { state: "sent", sent: item.file.size });
      this.notice = "";
    } catch (error) {
      if (!(error instanceof FileProblem)) throw error;
      this.#failed(item, error.message);
    }
  }

  #row({ path, file, crc32c, uri, state }) {
    const sent = state !== "announced";
    return { upload: this.record.id, path, size: file.size, changed: file.lastModified, crc32c, uri, sent };
  }

  #waiting = (reason, seconds) => (this.notice = waiting(reason, seconds));

  get #asker() {
    return { patient: true, waiting: this.#waiting, signal: this.#stop.signal };
  }

  // --- follow

  #watch() {
    this.#following ??= this.#follow()
      .catch((error) => (this.notice = error.message))
      .finally(() => (this.#following = null));
  }

  /** Asks for the status until it is final, more seldom while there are no news. */
  async #follow() {
    let gap = POLL.shortest;
    while (this.state !== "over") {
      gap = (await this.#heard()) ? POLL.shortest : Math.min(gap * 1.5, POLL.longest);
      if (this.state === "sent" && this.#settled()) await this.#over();
      else await sleep(gap);
    }
  }

  /** Whether there are news. While files are being sent, that tells why it waits. */
  async #heard() {
    const tell = (notice) => this.state === "sent" && (this.notice = notice);
    try {
      const news = await this.#news({ patient: true, waiting: (...wait) => tell(waiting(...wait)) });
      tell("");
      return news;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      tell(error.message);
      return false;
    }
  }

  async #news(asker) {
    const { id } = this.record;
    const gone = { value: { status: "removed" }, etag: "" };
    const news = await this.#api.news(`/api/uploads/status/${id}`, this.#etag, asker).catch((error) => {
      if (error.status !== 404) throw error;
      return gone;
    });
    if (!news || id !== this.record.id) return false; // another session took over meanwhile
    this.status = news.value;
    this.#etag = news.etag;
    return true;
  }

  /** Whether all is final. A file that was announced and will not come is not waited for. */
  #settled() {
    if (!this.status) return false;
    const { status, stats } = this.status;
    if (status in LEFT) return true;
    const { announced, missing } = this.record;
    // The statistics are as old as their last count: one that does not know all files yet says nothing.
    const counted = stats.files_total >= announced;
    return missing > 0 && counted && stats.files_processed + stats.files_failed >= stats.files_total - missing;
  }

  /** Ends the session, or finds it ended. */
  async #end(notice) {
    try {
      this.status = await this.#api.post(`/api/uploads/${this.record.id}/cancel`);
    } catch (error) {
      if (error.status !== 404 && error.status !== 409) throw error; // gone, or at its end already
    }
    this.notice = notice;
    await this.#over();
  }

  async #over() {
    this.state = "over";
    await this.#journal.forget(this.record.id);
  }
}

/** Opens a session for these files; what the journal keeps of their upload. */
async function opened(api, journal, { owner, project, cycle, name, handles, began = Date.now() }, files) {
  const where = cycle ? { project_id: project.id, cycle_id: cycle } : { project_id: project.id };
  const { id } = await api.post("/api/sessions", { ...where, name: name.slice(0, NAME_LIMIT) });
  const order = { owner, project, cycle, name, handles, began };
  const record = { id, ...order, ...totals(files), problems: [], replaced: 0, sent: false, closed: false };
  await journal.keep(record);
  return record;
}
