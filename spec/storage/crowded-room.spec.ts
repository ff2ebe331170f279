import { expect } from "chai";
import type { Sql } from "../../src/storage/database.ts";
import {
  listCurrentStateAt,
  listCurrentStateHeads,
} from "../../src/storage/events.ts";
import { listStatePlaces } from "../../src/storage/sliding-rooms.ts";
import { listCurrentMembers } from "../../src/storage/sync-changes.ts";
import { useDatabase } from "../support/database.ts";
import { fillDatabase } from "../support/fill-database.ts";

/** The room of 3,000 among 1,500 of a few members. */
const CROWDED = -1;
const MEMBER = "m.room.member";
const PLACES = ["@fill1:test", "@fill2:test", "@fill3:test"];

describe("what is asked of a crowded room's state", () => {
  const database = useDatabase();
  let sql: Sql;

  before("fill the tables", async function () {
    this.timeout(60_000);
    await fillDatabase(database.sql);
    sql = database.open({ poolSize: 1 });
  });

  const entriesRead = async (): Promise<number> => {
    await sql`select pg_stat_force_next_flush()`;
    const [row] = await sql<{ count: number }[]>`
      select pg_stat_get_tuples_returned('current_state_pkey'::regclass) as count`;
    return row!.count;
  };
  const places = PLACES.map((stateKey) => ({
    roomNid: CROWDED,
    type: MEMBER,
    stateKey,
  }));

  const reads: Record<string, () => Promise<readonly object[]>> = {
    "by places in the room": () =>
      listCurrentStateHeads(
        sql,
        CROWDED,
        PLACES.map((stateKey) => [MEMBER, stateKey] as const),
      ),
    "by places in many rooms": () => listCurrentStateAt(sql, places),
    "by members": () => listCurrentMembers(sql, places),
    "by sliding sync": () =>
      listStatePlaces(sql, { exact: places, types: [], rooms: [] }),
  };

  for (const [name, read] of Object.entries(reads)) {
    it(`is read where it stands, and no further: ${name}`, async () => {
      const before = await entriesRead();
      expect(await read()).to.have.length(PLACES.length);
      expect((await entriesRead()) - before).to.equal(PLACES.length);
    });
  }
});
