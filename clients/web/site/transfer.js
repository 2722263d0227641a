/**
 * Bytes to Cloud Storage: one PUT for a small file, a resumable session for a large one.
 *
 * Both are repeatable. A PUT is signed for an object that must not exist yet, so the repetition of one that succeeded
 * answers 412, which counts as sent. A resumable upload asks the storage how far it is after every cut.
 */

import { chunk, question, stored } from "./content_range.js";
import { Attempts, Fault, retryAfter, transient } from "./retry.js";

const RENEWALS = 3; // URLs of one file that may be refused before the refusal counts
const RESTARTS = 3; // resumable sessions of one file that may get lost

/** One file can't be sent; the others go on. */
export class FileProblem extends Error {}

/** The signed URL has expired, or is refused otherwise. */
class GrantRefused extends FileProblem {}

/**
 * Brings one file to the storage.
 * @param {{file: File, assetId: string, uri?: string, sent: number}} item `sent` follows the bytes, `uri` the session
 * @param {{grants: import("./grants.js").Grants, remember: (item: object) => Promise<void>,
 *   waiting: (reason: string, seconds: number) => void, signal: AbortSignal}} context
 */
export async function transfer(item, context) {
  const grant = context.grants.get(item.assetId);
  if (!grant) return;
  const upload = grant.protocol === "put" ? new Put(item, grant, context) : new Resumable(item, grant, context);
  const attempts = new Attempts(context.waiting);
  let refusals = 0;
  while (!upload.finished) {
    try {
      if (await upload.step()) attempts.progressed();
    } catch (error) {
      if (error instanceof GrantRefused && ++refusals <= RENEWALS) await upload.renew(context.grants);
      else if (error instanceof Fault) await afterFault(upload, error, attempts, context);
      else throw error;
    }
  }
  item.sent = item.file.size;
  context.grants.delete(item.assetId);
}

async function afterFault(upload, fault, attempts, { grants, signal }) {
  upload.cut();
  await upload.requireReadable();
  // A refused signature is answered without CORS headers: to a page, an expired URL looks like a broken connection.
  const suspect = fault.opaque && upload.signing;
  if (suspect && Date.parse(upload.grant.expires_at) <= Date.now()) return upload.renew(grants);
  await attempts.wait(fault, signal);
  if (suspect) await upload.renew(grants);
}

/** One file on its way. `step` makes the next request, and tells whether bytes got further than ever before. */
class Sending {
  finished = false;
  signing = true; // whether the next request is made with the signed URL

  constructor(item, grant, context) {
    Object.assign(this, { item, grant, context });
  }

  /** Goes on with a fresh URL; the platform may have the file by now. */
  async renew(grants) {
    this.grant = await grants.renew(this.item.assetId, this.grant);
    this.finished = this.grant === undefined;
  }

  /** A file that vanished or changed breaks the connection too: throws FileProblem then. */
  async requireReadable() {
    try {
      await this.item.file.slice(0, 1).arrayBuffer();
    } catch {
      throw new FileProblem("The file changed or vanished while it was being sent.");
    }
  }

  async signed(body, progress) {
    const { method, url, headers } = this.grant;
    const answer = await this.request(method, url, headers, body, progress);
    const problem = answer.status === 412 ? null : problemOf(answer);
    if (problem && (answer.status === 403 || answer.text.includes("ExpiredToken"))) throw new GrantRefused(problem);
    if (problem) throw new FileProblem(problem);
    return answer;
  }

  request(method, url, headers, body, progress) {
    return request(method, url, headers, body, progress, this.context.signal);
  }
}

class Put extends Sending {
  async step() {
    await this.signed(this.item.file, (loaded) => (this.item.sent = loaded));
    this.finished = true;
    return true;
  }

  cut() {
    this.item.sent = 0;
  }
}

class Resumable extends Sending {
  #offset = null; // unknown: the storage is asked
  #furthest = 0;
  #restarts = 0;

  constructor(...given) {
    super(...given);
    this.signing = !this.item.uri;
  }

  async step() {
    if (!this.item.uri) return this.#begin();
    const { file } = this.item;
    const start = this.#offset;
    if (start === null) return this.#absorb(await this.#put(question(file.size)));
    const { end, range } = chunk(start, file.size);
    const progress = (loaded) => (this.item.sent = start + loaded);
    return this.#absorb(await this.#put(range, file.slice(start, end), progress));
  }

  cut() {
    this.#offset = null;
  }

  #put(range, body, progress) {
    return this.request("PUT", this.item.uri, { "Content-Range": range }, body, progress);
  }

  async #begin() {
    const answer = await this.signed();
    if (answer.status === 412) this.finished = true;
    else await this.#continueAt(answer.header("Location"));
    this.#offset = 0;
    return false;
  }

  async #continueAt(uri) {
    this.item.uri = uri;
    this.signing = !uri;
    await this.context.remember(this.item);
  }

  async #absorb(answer) {
    if (answer.status === 308) return this.#standAt(stored(answer.header("Range")));
    if (answer.status === 404 || answer.status === 410) return this.#lost();
    const problem = answer.status === 412 ? null : problemOf(answer);
    if (problem) throw new FileProblem(problem);
    this.finished = true;
    return true;
  }

  #standAt(offset) {
    const further = offset > this.#furthest;
    this.#offset = this.item.sent = offset;
    this.#furthest = Math.max(offset, this.#furthest);
    if (offset >= this.item.file.size) throw new Fault("the storage has all bytes and has not made the object yet");
    return further;
  }

  async #lost() {
    if (++this.#restarts > RESTARTS) throw new FileProblem("The storage lost the upload again and again.");
    this.item.sent = 0;
    this.#offset = null;
    await this.#continueAt(undefined);
    return false;
  }
}

/** What an answer says against the file; null when it is good. Throws Fault when another attempt may help. */
function problemOf({ status, text, header }) {
  if (status < 300) return null;
  if (transient(status)) {
    throw new Fault(`the storage answered ${status}`, { retryAfter: retryAfter(header("Retry-After")) });
  }
  return /<Message>([^<]+)</.exec(text)?.[1] ?? `The storage answered ${status}.`;
}

/** One request; XMLHttpRequest, since `fetch` tells nothing of the bytes on their way. */
function request(method, url, headers, body, progress, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    if (progress) xhr.upload.onprogress = (event) => progress(event.loaded);
    xhr.onload = () => {
      resolve({ status: xhr.status, text: xhr.responseText, header: (name) => xhr.getResponseHeader(name) });
    };
    xhr.onerror = () => reject(new Fault("the connection to the storage broke", { opaque: true }));
    xhr.onabort = () => reject(signal.reason);
    xhr.onloadend = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    xhr.send(body ?? null);
  });
}
