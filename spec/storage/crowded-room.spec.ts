import { expect } from "chai";
import type { Sql } from "../../src/storage/database.ts";
import {
  listCurrentStateAt,
  listCurrentStateHeads,
} from "../../src/storage/events.ts";
import { listStatePlaces } from "../../src/storage/sliding-rooms.ts";
import {
  listCurrentMembers,
  listHeroes,
} from "../../src/storage/sync-changes.ts";
import { useDatabase } from "../support/database.ts";
import { fillDatabase } from "../support/fill-database.ts";

/** The room of 3,000 among 1,500 of a few members. */
const CROWDED = -1;
const MEMBER = "m.room.member";
const PLACES = ["@fill1:test", "@fill2:test", "@fill3:test"];

describe("what is asked of a crowded room", () => {
  const database = useDatabase();
  let sql: Sql;

  before("fill the tables", async function () {
    this.timeout(60_000);
    await fillDatabase(database.sql);
    sql = database.open({ poolSize: 1 });
  });

  /** How many entries of a table's indexes were read so far. */
  const entriesRead = async (table: string): Promise<number> => {
    await sql`select pg_stat_force_next_flush()`;
    const [row] = await sql<{ count: number }[]>`
      select sum(pg_stat_get_tuples_returned(indexrelid)) as count
      from pg_index where indrelid = ${table}::regclass`;
    return Number(row!.count);
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
    it(`is read where it stands in the state, and no further: ${name}`, async () => {
      const before = await entriesRead("current_state");
      expect(await read()).to.have.length(PLACES.length);
      expect((await entriesRead("current_state")) - before).to.equal(
        PLACES.length,
      );
    });
  }

  it("is called by its first members, and the others are not read", async () => {
    const before = await entriesRead("memberships");
    const heroes = await listHeroes(sql, [CROWDED], "@fill3:test");
    expect(heroes.map(({ userId }) => userId)).to.deep.equal(
      [1, 2, 4, 5, 6].map((i) => `@fill${i}:test`),
    );
    expect((await entriesRead("memberships")) - before).to.be.at.most(20);
  });
});
