import { expect } from "chai";
import { forgetUrlPreviews } from "../../../src/domain/jobs/forget-url-previews.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { takeLease } from "../../../src/storage/leases.ts";
import { deleteOldUrlPreviews } from "../../../src/storage/url-previews.ts";
import { useDatabase } from "../../support/database.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

describe("what pages said", () => {
  const database = useDatabase();

  beforeEach(async () => {
    await database.sql`delete from leases`;
    await database.sql`delete from url_previews`;
    await database.sql`delete from url_preview_fetches`;
  });

  /** Previews of pages, so many days old. */
  const keep = (days: number, count: number) => database.sql`
    insert into url_previews (url_hash, fetched_ts, expires_ts, is_failure, key_id, sealed)
    select sha256(convert_to(${String(days)} || ' ' || i, 'UTF8')),
      (extract(epoch from now()) * 1000)::bigint - ${days * DAY_MS}::bigint - i, 1, false, 0, ''
    from generate_series(1, ${count}) as i`;

  const kept = async (): Promise<number> => {
    const [row] = await database.sql<{ count: number }[]>`
      select count(*) as count from url_previews`;
    return row!.count;
  };

  it("is forgotten after a week, some thousand at a time", async () => {
    await keep(8, 2500);
    await keep(6, 10);
    await keep(0, 10);
    await runJob({ db: database.sql }, forgetUrlPreviews);
    expect(await kept()).to.equal(20);
  });

  it("is forgotten sooner where there is too much of it", async () => {
    await keep(1, 30);
    await keep(0, 10);
    const lease = await takeLease(database.sql, "x", 10_000);
    const bounds = { ageMs: 7 * DAY_MS, most: 15, limit: 1000 };
    const { sql } = database;
    expect(await deleteOldUrlPreviews(sql, lease!, bounds)).to.equal(25);
    expect(await deleteOldUrlPreviews(sql, lease!, bounds)).to.equal(0);
    expect(await kept()).to.equal(15);
  });

  it("stays where the lease is lost", async () => {
    await keep(8, 10);
    const lease = await takeLease(database.sql, "x", 10_000);
    await database.sql`update leases set generation = generation + 1`;
    const bounds = { ageMs: DAY_MS, most: 1, limit: 1000 };
    const { sql } = database;
    expect(await deleteOldUrlPreviews(sql, lease!, bounds)).to.equal(0);
    expect(await kept()).to.equal(10);
  });

  it("is no longer waited for where who fetched it died", async () => {
    await database.sql`
      insert into url_preview_fetches (url_hash, holder, expires_ts) values
        ('old', gen_random_uuid(), now() - interval '2 hours'),
        ('new', gen_random_uuid(), now())`;
    await runJob({ db: database.sql }, forgetUrlPreviews);
    const left = await database.sql<{ hash: string }[]>`
      select encode(url_hash, 'escape') as hash from url_preview_fetches`;
    expect(left.map(({ hash }) => hash)).to.deep.equal(["new"]);
  });
});
