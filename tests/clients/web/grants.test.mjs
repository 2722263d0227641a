import assert from "node:assert/strict";
import test from "node:test";

import { Grants } from "../../../clients/web/site/grants.js";

const grant = (expires_at) => ({ url: `https://storage/${Math.random()}`, expires_at });

function platform(held = new Set()) {
  const asked = [];
  const fresh = async (ids) => {
    asked.push(ids);
    return { files: ids.map((id) => ({ asset_id: id, upload: held.has(id) ? null : grant("2026-01-01T12:00:00Z") })) };
  };
  return { asked, grants: new Grants(fresh) };
}

test("a refused URL is renewed together with those that are as old", async () => {
  const { asked, grants } = platform();
  const old = grant("2026-01-01T10:00:00Z");
  grants.set("a", old);
  grants.set("b", grant("2026-01-01T10:00:00Z"));
  grants.set("c", grant("2026-01-01T11:00:00Z"));

  assert.notEqual(await grants.renew("a", old), old);
  assert.deepEqual(asked, [["a", "b"]]);
});

test("several that find the same URL refused ask once", async () => {
  const { asked, grants } = platform();
  const old = grant("2026-01-01T10:00:00Z");
  grants.set("a", old);

  const [one, other] = await Promise.all([grants.renew("a", old), grants.renew("a", old)]);

  assert.equal(one, other);
  assert.equal(asked.length, 1);
});

test("a file that the platform has needs no URL", async () => {
  const { grants } = platform(new Set(["a"]));
  const old = grant("2026-01-01T10:00:00Z");
  grants.set("a", old);
  assert.equal(await grants.renew("a", old), undefined);
});
