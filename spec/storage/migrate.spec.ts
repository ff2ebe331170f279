import { expect } from "chai";
import {
  findMigrationsFolder,
  listMigrations,
  migrate,
} from "../../src/storage/migrate.ts";
import type { Migration } from "../../src/storage/migrate.ts";
import { useEmptyDatabase } from "../support/database.ts";

describe("migrate", () => {
  const open = useEmptyDatabase();
  let known: Migration[];

  before(async () => {
    known = await listMigrations(findMigrationsFolder());
  });

  it("applies each migration once when two processes start at the same time", async () => {
    const [a, b] = await Promise.all([
      migrate(open(), () => 7),
      migrate(open(), () => 7),
    ]);
    const names = known.map(({ name }) => name);
    expect([...a, ...b].sort()).to.deep.equal(names.sort());
  });
});
