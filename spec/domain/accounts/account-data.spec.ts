import { expect } from "chai";
import { findAccountDataText } from "../../../src/domain/accounts/account-data.ts";
import {
  prepareAccountData,
  setAccountData,
} from "../../../src/domain/accounts/update-account-data.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { type TestUser, useServer } from "../../support/server.ts";

describe("setAccountData", () => {
  const server = useServer();
  let alice: TestUser;

  before(async () => {
    alice = await server.user("alice");
  });

  const placeOf = (type: string) => ({
    userId: alice.userId,
    roomNid: 0,
    type,
  });

  const contentOf = async (type: string) => {
    const text = await findAccountDataText(server.edges, alice.userId, 0, type);
    return JSON.parse(text ?? "null") as JsonObject | null;
  };

  const set = (type: string, content: JsonObject) =>
    setAccountData(server.edges, placeOf(type), content);

  for (const { it: name, type, before } of [
    { it: "of an entry that stands", type: "m.direct", before: { a: 1 } },
    { it: "of an entry that was not there", type: "m.tag", before: undefined },
  ]) {
    it(`is not undone by a change that was made on what stood before, ${name}`, async () => {
      if (before) await set(type, before);
      const prepared = await prepareAccountData(
        server.edges,
        placeOf(type),
        (standing) => ({ ...standing, stale: true }),
      );
      await set(type, { b: 2 });
      const outcome = await server.edges.committer.commit({
        positions: 1,
        idempotency: [{ key: prepared!.claim, answer: "" }],
        rows: prepared!.rowsAt(0),
      });
      expect(outcome.status).to.equal("duplicate");
      expect(await contentOf(type)).to.deep.equal({ b: 2 });
    });
  }

  it("has one last of many that are set at once, in two processes", async () => {
    const other = await server.startProcess();
    const path = `/user/${alice.userId}/account_data/m.x`;
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        (i % 2 ? other.as(alice) : alice).put(path, { i }),
      ),
    );
    expect(answers.map(({ status }) => status)).to.deep.equal(
      answers.map(() => 200),
    );
    expect(await contentOf("m.x")).to.have.property("i");
  });
});
