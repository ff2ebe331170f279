import { expect } from "chai";
import { assertSafeDatabase, listFaults } from "../../src/storage/database.ts";
import { StorageUnavailable } from "../../src/storage/storage-unavailable.ts";
import { useDatabase } from "../support/database.ts";

describe("openDatabase", () => {
  const database = useDatabase();

  it("reads bigints as numbers and leaves the keys inside of JSON alone", async () => {
    const [row] = await database.sql`
      select 9007199254740991::bigint as big_number, '{"room_version": {"a_b": 1}}'::jsonb as some_json`;
    expect(row).to.deep.equal({
      bigNumber: 9007199254740991,
      someJson: { room_version: { a_b: 1 } },
    });
  });

  it("lets nothing wait or run for long", async () => {
    const [row] = await database.sql`
      select current_setting('lock_timeout') as a, current_setting('statement_timeout') as b,
        current_setting('idle_in_transaction_session_timeout') as c`;
    expect(row).to.deep.equal({ a: "5s", b: "5s", c: "5s" });
  });

  it("lets nobody wait behind queries that hang", async () => {
    const pool = database.open({ poolSize: 1 });
    const isUnavailable = (error: unknown) =>
      error instanceof StorageUnavailable ? "unavailable" : String(error);
    await database.sql.begin(async (tx) => {
      await tx`set local idle_in_transaction_session_timeout = 0`;
      await tx`lock table users in access exclusive mode`;
      const begun = performance.now();
      const outcomes = await Promise.all(
        [1, 2, 3, 4].map((n) =>
          pool`select ${n}::int from users`.catch(isUnavailable),
        ),
      );
      expect(outcomes).to.deep.equal(Array(4).fill("unavailable"));
      expect(performance.now() - begun).to.be.below(5500);
    });
    const part = pool`where user_id = ${"@nobody:test"}`;
    expect(await pool`select from users ${part}`).to.have.length(0);
  });
});

describe("assertSafeDatabase", () => {
  const database = useDatabase();
  const safe = {
    version: 150000,
    encoding: "UTF8",
    fsync: "on",
    fullPageWrites: "on",
    synchronousCommit: "on",
  };

  it("accepts the database of these specs", async () => {
    await assertSafeDatabase(database.sql);
  });

  it("refuses one that would lose what was answered", async () => {
    const pool = database.open({ poolSize: 1 });
    await pool`set synchronous_commit = off`;
    const error = await assertSafeDatabase(pool).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(Error);
    expect(String(error)).to.include("synchronous_commit must not be off.");
  });

  it("names every fault at once", () => {
    expect(listFaults(safe)).to.deep.equal([]);
    const faults = listFaults({
      version: 140010,
      encoding: "SQL_ASCII",
      fsync: "off",
      fullPageWrites: "off",
      synchronousCommit: "off",
    });
    expect(faults).to.have.length(5);
  });
});
