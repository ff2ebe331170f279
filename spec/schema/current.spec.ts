import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { findMigrationsFolder } from "../../src/storage/migrate.ts";
import { useDatabase } from "../support/database.ts";
import { describeSchema } from "../support/describe-schema.ts";

describe("schema/db/current.sql", () => {
  const database = useDatabase();

  it("is what the migrations make (else run `npm run db:dump`)", async () => {
    const file = join(findMigrationsFolder(), "current.sql");
    const written = await readFile(file, "utf8");
    expect(written).to.equal(await describeSchema(database.sql));
  });

  it("holds tables, constraints, indexes, sequences and functions", async () => {
    const text = await describeSchema(database.sql);
    expect(text).to.match(/^create table events \($/m);
    expect(text).to.match(/^alter table events add constraint events_pkey /m);
    expect(text).to.match(/^CREATE INDEX events_by_position ON /m);
    expect(text).to.match(/^create sequence nids /m);
    expect(text).to.match(/^CREATE OR REPLACE FUNCTION public.commit_batch\(/m);
  });
});
