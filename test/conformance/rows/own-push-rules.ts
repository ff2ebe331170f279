import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { list } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import type { User } from "../harness/user.ts";

const rules = ownRows("push rules");

const OVERRIDE = "/pushrules/global/override";
const put = (alice: User, id: string, query = {}) =>
  alice.must("PUT", `${OVERRIDE}/${id}`, {
    query,
    body: { actions: ["notify"], conditions: [] },
  });

const order = async (alice: User): Promise<unknown[]> =>
  list(await alice.mustGet("/pushrules/"), "global", "override")
    .filter((rule) => rule["default"] !== true)
    .map((rule) => rule["rule_id"]);

rules("stand where before and after put them", async ({ alice }) => {
  await put(alice, "a");
  await put(alice, "b");
  expect(await order(alice)).to.deep.equal(["b", "a"], "newest first");
  await put(alice, "c", { after: "b" });
  expect(await order(alice)).to.deep.equal(["b", "c", "a"]);
  await put(alice, "d", { before: "b" });
  expect(await order(alice)).to.deep.equal(["d", "b", "c", "a"]);
});

rules("are gone when deleted", async ({ alice }) => {
  await put(alice, "a");
  await alice.mustDelete(`${OVERRIDE}/a`);
  expect(await order(alice)).to.deep.equal([]);
  expectError(await alice.get(`${OVERRIDE}/a`), 404, "M_NOT_FOUND");
  expectError(await alice.delete(`${OVERRIDE}/a`), 404, "M_NOT_FOUND");
});

rules("whose names begin with a dot are the server's", async ({ alice }) => {
  const mine = { actions: ["notify"], conditions: [] };
  const answer = await alice.put(`${OVERRIDE}/.m.mine`, mine);
  expectError(answer, 400);
  const master = `${OVERRIDE}/.m.rule.master`;
  await alice.mustPut(`${master}/enabled`, { enabled: true });
  const rule = await alice.mustGet(master);
  expect(rule).to.include({ default: true, enabled: true });
  expectError(await alice.get(`${OVERRIDE}/.m.rule.unknown`), 404);
});

rules("may be read and switched part by part", async ({ alice }) => {
  await put(alice, "a");
  expect(await alice.mustGet(`${OVERRIDE}/a/enabled`)).to.deep.equal({
    enabled: true,
  });
  expect(await alice.mustGet(`${OVERRIDE}/a/actions`)).to.deep.equal({
    actions: ["notify"],
  });
  await alice.mustPut(`${OVERRIDE}/a/enabled`, { enabled: false });
  const rule = await alice.mustGet(`${OVERRIDE}/a`);
  expect(rule).to.include({ rule_id: "a", enabled: false, default: false });
});
