/**
 * When to try again, and how long to wait: truncated exponential back-off with jitter
 * (https://cloud.google.com/storage/docs/retry-strategy), and `Retry-After` (RFC 9110, 10.2.3).
 */

/**
 * Seconds: the first wait, the longest, how long without any progress until it is given up, and until a platform that
 * never answered counts as wrong or off, rather than as busy.
 */
export const PATIENCE = { initial: 1, maximum: 32, deadline: 600, firstContact: 10 };

/** This attempt failed in a way that another one may not. `opaque`: no answer could be read. */
export class Fault extends Error {
  constructor(reason, { retryAfter = 0, opaque = false } = {}) {
    super(reason);
    this.retryAfter = retryAfter;
    this.opaque = opaque;
  }
}

/** Nothing useful was answered until the deadline. */
export class Unreachable extends Error {}

/** Whether an answer with this status may be another one next time. */
export function transient(status) {
  return status === 408 || status === 429 || status >= 500;
}

/** Seconds to wait after this many failures in a row, from 1. */
export function delay(failures, random = Math.random) {
  const exponential = PATIENCE.initial * 2 ** Math.min(failures - 1, 30);
  return Math.min(exponential + random() * PATIENCE.initial, PATIENCE.maximum);
}

/** Seconds that a `Retry-After` asks for, which is a number or a date; 0 when it says nothing. */
export function retryAfter(value, now = Date.now()) {
  if (/^\s*\d+\s*$/.test(value ?? "")) return Number(value);
  const moment = Date.parse(value ?? "");
  return Number.isNaN(moment) ? 0 : Math.max(0, (moment - now) / 1000);
}

/** Resolves after so many seconds; rejects with the signal's reason when it is aborted. */
export function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** The failures of one operation so far. `report` hears of each wait: reason and seconds; `deadline` is in seconds. */
export class Attempts {
  #failures = 0;
  #giveUpAt = 0;
  #report;
  #deadline;

  constructor(report = () => {}, deadline = PATIENCE.deadline) {
    this.#report = report;
    this.#deadline = deadline;
  }

  /** Something got through: the next failure is the first again. */
  progressed() {
    this.#failures = 0;
  }

  /** Waits before the next attempt; throws Unreachable when the deadline would pass meanwhile. */
  async wait(fault, signal) {
    if (this.#failures === 0) this.#giveUpAt = Date.now() + this.#deadline * 1000;
    this.#failures += 1;
    const seconds = Math.max(delay(this.#failures), fault.retryAfter);
    if (Date.now() + seconds * 1000 > this.#giveUpAt) throw new Unreachable(`No answer for a while: ${fault.message}`);
    this.#report(fault.message, seconds);
    await sleep(seconds, signal);
  }
}
