import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { text, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import type { User } from "../harness/user.ts";

const FILTER = { room: { timeline: { limit: 10 } } };

async function createFilter(user: User, filter: JsonObject): Promise<string> {
  const target = path`/user/${user.userId}/filter`;
  return text(await user.mustPost(target, filter), "filter_id");
}

row("csapi", "TestSyncFilter", "Can create filter", async (server) => {
  const alice = await server.user("filter");
  const filterId = await createFilter(alice, FILTER);
  expect(filterId).to.match(/^[^{]/, "not to be taken for an inline filter");
  await alice.sync({ filter: filterId });
});

row("csapi", "TestSyncFilter", "Can download filter", async (server) => {
  const alice = await server.user("filter");
  const filterId = await createFilter(alice, FILTER);
  const found = await alice.mustGet(
    path`/user/${alice.userId}/filter/${filterId}`,
  );
  expect(found).to.deep.equal(FILTER);
});

/** Filters in which something has the wrong type, or names what is no identifier. */
const INVALID: JsonObject[] = [
  { presence: "text" },
  ...["timeline", "state", "ephemeral", "account_data"].map((section) => ({
    room: { [section]: "text" },
  })),
  ...["rooms", "not_rooms", "senders", "not_senders", "types", "not_types"].map(
    (key) => ({ room: { timeline: { [key]: "text" } } }),
  ),
  { room: { timeline: { types: [1] } } },
  { room: { timeline: { rooms: ["no room id"] } } },
  { room: { timeline: { senders: ["no user id"] } } },
];

row("csapi", "TestFilter", "", async (server) => {
  const alice = await server.user("filter");
  const target = path`/user/${alice.userId}/filter`;
  for (const filter of INVALID) {
    const answer = await alice.post(target, filter);
    expect(answer.status, JSON.stringify(filter)).to.equal(400);
    expectError(answer, 400);
  }
});
