/** The platform over HTTP: tokens, retries and errors are handled here once. */

import { duration } from "./format.js";
import { Attempts, Fault, PATIENCE, retryAfter, transient } from "./retry.js";

const EARLY = 60; // seconds before its end at which an access token is replaced
const KEPT_AS = "alta-sign-in";

/** Items of a list that are asked for at once: the platform's largest page. */
export const PAGE_SIZE = 200;

/** The platform refused a request; `message` is for people, `details` names the fields or files that are meant. */
export class ApiError extends Error {
  constructor(status, { code, message, details, requestId }) {
    super(message);
    Object.assign(this, { status, code, details, requestId });
  }
}

/** Nobody is signed in, or not any more. */
export class SignedOut extends Error {}

/**
 * Who asks, and how patiently. A person waits: requests that are one too many (429) are errors at once, and every wait
 * is said. What goes on by itself is `patient`, and hears of its waits itself.
 * @typedef {{signal?: AbortSignal, patient?: boolean, deadline?: number,
 *   waiting?: (reason: string, seconds: number) => void}} Asker `deadline` is in seconds
 */

/**
 * A client of one platform. Fires `signedout` when the platform does not know the person any more, and `waiting`, with
 * reason and seconds, before a request of a person is repeated.
 */
export class Api extends EventTarget {
  #tokens;
  #answered = false;
  #refreshing = null;
  #run = crypto.randomUUID().slice(0, 13);
  #step = 0;

  /** @param {string} base address of the platform; empty: where this page comes from */
  constructor(base) {
    super();
    this.base = base.replace(/\/$/, "");
    this.#tokens = JSON.parse(sessionStorage.getItem(KEPT_AS) ?? "null");
  }

  get signedIn() {
    return this.#tokens !== null;
  }

  /** Signs in with a user name or an e-mail. */
  async login(name, password) {
    const field = name.includes("@") ? "email" : "username";
    this.#keep(await this.#tokensFrom("/api/auth/login", { [field]: name, password }));
  }

  /** Signs in with a passkey of this device. */
  async loginWithPasskey() {
    const { publicKey } = await this.#tokensFrom("/api/auth/passkeys/login");
    const asked = PublicKeyCredential.parseRequestOptionsFromJSON(publicKey);
    const credential = (await navigator.credentials.get({ publicKey: asked })).toJSON();
    this.#keep(await this.#tokensFrom("/api/auth/passkeys/login/verify", { credential }));
  }

  /** Makes a passkey on this device for whoever is signed in. */
  async addPasskey(name) {
    const { publicKey } = await this.post("/api/auth/passkeys/register");
    const asked = PublicKeyCredential.parseCreationOptionsFromJSON(publicKey);
    const credential = (await navigator.credentials.create({ publicKey: asked })).toJSON();
    await this.post("/api/auth/passkeys/register/verify", { credential, name });
  }

  /** Forgets the sign-in of this tab. */
  signOut() {
    this.#keep(null);
    this.dispatchEvent(new Event("signedout"));
  }

  get(path, query = {}) {
    return this.#json("GET", path, { query });
  }

  /** @param {Asker} asker */
  post(path, body = {}, asker = {}) {
    return this.#json("POST", path, { body, headers: { "Idempotency-Key": crypto.randomUUID() }, asker });
  }

  patch(path, body) {
    return this.#json("PATCH", path, { body });
  }

  /** Every item of a list, page by page. */
  async all(path, query = {}) {
    const items = [];
    for (let token = ""; token !== null; ) {
      const page = await this.get(path, { ...query, page_size: PAGE_SIZE, page_token: token });
      items.push(...page.items);
      token = page.next_page_token;
    }
    return items;
  }

  /**
   * What a path says, with its ETag; null when it still is as at the ETag `known`.
   * @param {Asker} asker
   */
  async news(path, known, asker = {}) {
    const answer = await this.#call("GET", path, { headers: known ? { "If-None-Match": known } : {}, asker });
    return answer.status === 304 ? null : { value: await answer.json(), etag: answer.headers.get("ETag") };
  }

  async #json(method, path, asked) {
    const answer = await this.#call(method, path, asked);
    return answer.status === 204 ? null : answer.json();
  }

  async #call(method, path, { query = {}, body, headers = {}, asker = {} }) {
    const kept = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const target = kept.length ? `${path}?${new URLSearchParams(kept)}` : path;
    let token = await this.#token();
    const send = () => this.#send(method, target, body, { ...headers, Authorization: `Bearer ${token}` }, asker);
    let answer = await send();
    if (answer.status === 401) {
      token = await this.#token(token);
      answer = await send();
    }
    return checked(answer);
  }

  /** The answer to a request, which is repeated as long as another attempt may help. */
  async #send(method, path, body, headers, { signal, patient = false, waiting = this.#waiting, deadline }) {
    const attempts = new Attempts(waiting, deadline ?? (this.#answered ? PATIENCE.deadline : PATIENCE.firstContact));
    const sent = { ...headers, "X-Request-ID": `${this.#run}-${++this.#step}` };
    if (body) sent["Content-Type"] = "application/json";
    const request = { method, headers: sent, body: body && JSON.stringify(body) };
    for (;;) {
      try {
        const answer = await once(this.base + path, { ...request, signal }, patient);
        this.#answered = true;
        return answer;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        await attempts.wait(error, signal);
      }
    }
  }

  #waiting = (reason, seconds) => this.dispatchEvent(new CustomEvent("waiting", { detail: { reason, seconds } }));

  // --- tokens

  async #tokensFrom(path, body = {}, asker = { deadline: PATIENCE.firstContact }) {
    return (await checked(await this.#send("POST", path, body, {}, asker))).json();
  }

  #keep(tokens) {
    this.#tokens = tokens && { ...tokens, endsAt: Date.now() + (tokens.expires_in - EARLY) * 1000 };
    if (tokens) sessionStorage.setItem(KEPT_AS, JSON.stringify(this.#tokens));
    else sessionStorage.removeItem(KEPT_AS);
  }

  /** An access token, another one than `refused`. */
  async #token(refused) {
    if (!this.#tokens) throw new SignedOut("Nobody is signed in.");
    if (this.#tokens.access_token === refused || Date.now() >= this.#tokens.endsAt) {
      this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = null));
      await this.#refreshing;
    }
    return this.#tokens.access_token;
  }

  async #refresh() {
    try {
      const body = { refresh_token: this.#tokens.refresh_token };
      // Uploads may wait for it too, so it is as patient as they are.
      this.#keep(await this.#tokensFrom("/api/auth/refresh", body, { patient: true }));
    } catch (error) {
      if (!(error instanceof ApiError) || ![400, 401, 403].includes(error.status)) throw error;
      this.signOut();
      throw new SignedOut("The sign-in is over.");
    }
  }
}

/** One attempt; throws Fault when another one may help. A request too many (429) is waited for by the patient alone. */
async function once(url, request, patient) {
  let answer;
  try {
    answer = await fetch(url, request);
  } catch {
    if (request.signal?.aborted) throw request.signal.reason;
    throw new Fault("the platform does not answer", { opaque: true });
  }
  if (answer.status === 429 && !patient) return answer;
  const inFlight = answer.status === 409 && (await answer.clone().json()).error?.code === "request_in_flight";
  if (!inFlight && !transient(answer.status)) return answer;
  const seconds = retryAfter(answer.headers.get("Retry-After"));
  throw new Fault(`the platform answered ${answer.status}`, { retryAfter: seconds });
}

async function checked(answer) {
  if (answer.ok || answer.status === 304) return answer;
  const { error } = await answer.json().catch(() => ({}));
  const { message, ...rest } = error ?? { message: `The platform answered ${answer.status}.` };
  throw new ApiError(answer.status, { ...rest, message: message + again(answer) });
}

/** When a request that was one too many may be made again, where that is said. */
function again({ status, headers }) {
  const seconds = status === 429 ? retryAfter(headers.get("Retry-After")) : 0;
  return seconds > 0 ? ` Try again in ${duration(seconds)}.` : "";
}
