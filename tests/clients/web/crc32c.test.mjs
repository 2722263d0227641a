import assert from "node:assert/strict";
import test from "node:test";

import { encode, extend } from "../../../clients/web/site/crc32c.js";

const ascii = (text) => new TextEncoder().encode(text);

test("the checksums are those of RFC 3720, B.4", () => {
  const descending = Uint8Array.from({ length: 32 }, (_, index) => 31 - index);
  const cases = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    [descending, 0x113fdb5c],
    [ascii("123456789"), 0xe3069283],
  ];
  for (const [bytes, expected] of cases) assert.equal(extend(0, bytes), expected);
});

test("pieces of any length give the checksum of the whole", () => {
  const whole = Uint8Array.from({ length: 1000 }, (_, index) => (index * 131) & 255);
  for (let cut = 0; cut <= 40; cut++) {
    assert.equal(extend(extend(0, whole.subarray(0, cut)), whole.subarray(cut)), extend(0, whole));
  }
});

test("nothing has the checksum 0, and a manifest has it in base 64, big-endian", () => {
  assert.equal(extend(0, new Uint8Array()), 0);
  assert.equal(encode(0), "AAAAAA==");
  assert.equal(encode(extend(0, new Uint8Array(32))), "ipE2qg==");
});
