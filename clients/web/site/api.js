/** The platform over HTTP: tokens, retries and errors are handled here once. */

import { Attempts, Fault, retryAfter, transient } from "./retry.js";

const EARLY = 60; // seconds before its end at which an access token is replaced
const KEPT_AS = "alta-sign-in";
const PAGE_SIZE = 200; // the platform's largest page

/** The platform refused a request; `message` is for people, `details` names the fields or files that are meant. */
export class ApiError extends Error {
  constructor(status, { code, message, details, requestId }) {
    super(message);
    Object.assign(this, { status, code, details, requestId });
  }
}

/** Nobody is signed in, or not any more. */
export class SignedOut extends Error {}

/** A client of one platform. Fires `signedout` when the platform does not know the person any more. */
export class Api extends EventTarget {
  #tokens;
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

  post(path, body = {}, signal = undefined) {
    return this.#json("POST", path, { body, headers: { "Idempotency-Key": crypto.randomUUID() }, signal });
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

  /** What a path says, with its ETag; null when it still is as at the ETag `known`. */
  async news(path, known, signal) {
    const answer = await this.#call("GET", path, { headers: known ? { "If-None-Match": known } : {}, signal });
    return answer.status === 304 ? null : { value: await answer.json(), etag: answer.headers.get("ETag") };
  }

  async #json(method, path, asked) {
    const answer = await this.#call(method, path, asked);
    return answer.status === 204 ? null : answer.json();
  }

  async #call(method, path, { query = {}, body, headers = {}, signal }) {
    const kept = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const target = kept.length ? `${path}?${new URLSearchParams(kept)}` : path;
    let token = await this.#token();
    const send = () => this.#send(method, target, body, { ...headers, Authorization: `Bearer ${token}` }, signal);
    let answer = await send();
    if (answer.status === 401) {
      token = await this.#token(token);
      answer = await send();
    }
    return checked(answer);
  }

  /** The answer to a request, which is repeated as long as another attempt may help. */
  async #send(method, path, body, headers, signal) {
    const attempts = new Attempts();
    const sent = { ...headers, "X-Request-ID": `${this.#run}-${++this.#step}` };
    if (body) sent["Content-Type"] = "application/json";
    for (;;) {
      try {
        return await once(this.base + path, { method, headers: sent, body: body && JSON.stringify(body), signal });
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        await attempts.wait(error, signal);
      }
    }
  }

  // --- tokens

  async #tokensFrom(path, body = {}) {
    return (await checked(await this.#send("POST", path, body, {}))).json();
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
      this.#keep(await this.#tokensFrom("/api/auth/refresh", { refresh_token: this.#tokens.refresh_token }));
    } catch (error) {
      if (!(error instanceof ApiError) || ![400, 401, 403].includes(error.status)) throw error;
      this.signOut();
      throw new SignedOut("The sign-in is over.");
    }
  }
}

/** One attempt; throws Fault when another one may help. */
async function once(url, request) {
  let answer;
  try {
    answer = await fetch(url, request);
  } catch (error) {
    if (request.signal?.aborted) throw request.signal.reason;
    throw new Fault(error.message, { opaque: true });
  }
  const inFlight = answer.status === 409 && (await answer.clone().json()).error?.code === "request_in_flight";
  if (!inFlight && !transient(answer.status)) return answer;
  const seconds = retryAfter(answer.headers.get("Retry-After"));
  throw new Fault(`the platform answered ${answer.status}`, { retryAfter: seconds });
}

async function checked(answer) {
  if (answer.ok || answer.status === 304) return answer;
  const { error } = await answer.json().catch(() => ({}));
  throw new ApiError(answer.status, error ?? { message: `The platform answered ${answer.status}.` });
}
