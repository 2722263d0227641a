import assert from "node:assert/strict";
import test from "node:test";

import { Attempts, Fault, PATIENCE, Unreachable } from "../../../clients/web/site/retry.js";
import { delay, retryAfter, sleep, transient } from "../../../clients/web/site/retry.js";

test("waits double up to the longest, with up to a second of jitter", () => {
  assert.deepEqual([1, 2, 3, 4, 5].map((failures) => delay(failures, () => 0)), [1, 2, 4, 8, 16]);
  assert.deepEqual([1, 2, 3].map((failures) => delay(failures, () => 0.5)), [1.5, 2.5, 4.5]);
  assert.equal(delay(6, () => 0.9), PATIENCE.maximum);
  assert.equal(delay(5000, () => 0), PATIENCE.maximum);
});

test("what Google's table calls retryable is tried again, the rest stands", () => {
  assert.deepEqual([408, 429, 500, 502, 503, 504].filter(transient), [408, 429, 500, 502, 503, 504]);
  assert.deepEqual([200, 308, 400, 401, 403, 404, 410, 412].filter(transient), []);
});

test("Retry-After is a number of seconds or a date", () => {
  const now = Date.parse("2026-03-06T10:00:00Z");
  assert.equal(retryAfter("7", now), 7);
  assert.equal(retryAfter("Fri, 06 Mar 2026 10:00:30 GMT", now), 30);
  assert.equal(retryAfter("Fri, 06 Mar 2026 09:00:00 GMT", now), 0);
  assert.equal(retryAfter(null, now), 0);
  assert.equal(retryAfter("soon", now), 0);
});

test("an attempt waits as long as it is asked to, and says so", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const told = [];
  const attempts = new Attempts((reason, seconds) => told.push([reason, seconds]));

  const waiting = attempts.wait(new Fault("busy", { retryAfter: 20 }));
  t.mock.timers.tick(19_999);
  const early = await Promise.race([waiting.then(() => "over"), Promise.resolve("waiting")]);
  t.mock.timers.tick(1);
  await waiting;

  assert.equal(early, "waiting");
  assert.deepEqual(told, [["busy", 20]]);
});

test("it is given up when nothing got through until the deadline, and progress starts anew", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const attempts = new Attempts();
  const fail = async () => {
    const waiting = attempts.wait(new Fault("away", { retryAfter: PATIENCE.deadline / 2 }));
    t.mock.timers.tick((PATIENCE.deadline / 2) * 1000);
    await waiting;
  };

  await fail();
  await fail();
  attempts.progressed();
  await fail();
  await fail();
  await assert.rejects(fail(), Unreachable);
});

test("a wait ends at once when it is stopped", async () => {
  const stop = new AbortController();
  const waiting = sleep(3600, stop.signal);
  stop.abort(new Error("paused"));
  await assert.rejects(waiting, /paused/);
  await assert.rejects(sleep(3600, stop.signal), /paused/);
});
