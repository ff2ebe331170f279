import { expect } from "chai";
import {
  verifyEvents,
  type Verified,
} from "../../../src/domain/rooms/verify-events.ts";
import { deleteKeys } from "../../../src/storage/keys.ts";
import type { KeyName } from "../../../src/storage/keyring.ts";
import { makeRoom, path, say } from "../../support/rooms.ts";
import { useServer, type TestUser } from "../../support/server.ts";

describe("events that are verified", () => {
  const server = useServer();
  let alice: TestUser;
  let roomId: string;

  /** By a process that has opened none of them. */
  async function verify(): Promise<Verified> {
    const { edges } = await server.startProcess();
    const all: Verified = { whole: 0, skeletons: 0, damaged: [] };
    for await (const step of verifyEvents(edges)) {
      all.whole += step.whole;
      all.skeletons += step.skeletons;
      all.damaged.push(...step.damaged);
    }
    return all;
  }

  before(async () => {
    alice = await server.user("alice");
    roomId = await makeRoom(alice, { room_version: "12" });
    await makeRoom(alice, { room_version: "1" });
  });

  it("row 46: have the bytes that their ids and their hashes are of, whatever was redacted or destroyed", async () => {
    const { sql } = server.database;
    const eventId = await say(alice, roomId, "to be redacted");
    await alice.put(path`/rooms/${roomId}/redact/${eventId}/1`, {});
    const other = await makeRoom(alice);
    await say(alice, other, "to be destroyed");
    const names = await sql<KeyName[]>`
      select scope, owner, span from keys where scope = 'room-span' and owner = ${other}`;
    await deleteKeys(sql, names);
    const [{ count } = { count: 0 }] = await sql<{ count: number }[]>`
      select count(*) as count from events`;
    const { whole, skeletons, damaged } = await verify();
    expect(damaged).to.deep.equal([]);
    expect(whole).to.be.above(15);
    expect(skeletons).to.equal(2);
    expect(whole + skeletons).to.equal(count);
  });

  for (const [what, sql] of Object.entries({
    "another sender": `update events set skeleton = replace(skeleton, '@alice:test', '@mallory:test') where event_id = $1`,
    "what is no event": `update events set skeleton = '{"content":{}' where event_id = $1`,
    "another's content": `update event_contents c set sealed = (
      select d.sealed from event_contents d join events f using (nid)
      where f.event_id <> $1 and d.first_key = c.first_key and d.second_key = c.second_key limit 1)
      from events e where e.nid = c.nid and e.event_id = $1`,
    "its content cut short": `update event_contents c set sealed = substring(sealed from 1 for octet_length(sealed) - 1)
      from events e where e.nid = c.nid and e.event_id = $1`,
  }))
    it(`row 46: are told of that somebody gave ${what} in the database`, async () => {
      await say(alice, roomId, "another");
      const eventId = await say(alice, roomId, "genuine");
      const { sql: superuser } = server.database;
      const before = await verify();
      await superuser.unsafe(sql, [eventId]);
      const { damaged } = await verify();
      expect(damaged.map((each) => each.eventId)).to.deep.equal([
        ...before.damaged.map((each) => each.eventId),
        eventId,
      ]);
      expect(damaged.at(-1)!.fault).to.not.equal("");
    });
});
