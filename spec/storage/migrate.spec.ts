import { expect } from "chai";
import {
  findMigrationsFolder,
  listMigrations,
  migrate,
} from "../../src/storage/migrate.ts";
import type { Migration } from "../../src/storage/migrate.ts";
import { useEmptyDatabase } from "../support/database.ts";

const migration = (version: number, text: string, hash = text): Migration => ({
  version,
  name: `step-${version}`,
  text,
  hash,
});

describe("migrate", () => {
  describe("with our migrations", () => {
    const open = useEmptyDatabase();

    it("applies each once when two processes start at the same time", async () => {
      const known = await listMigrations(findMigrationsFolder());
      expect(known).to.have.length.above(2);
      const applied = await Promise.all([
        migrate(open(), () => 7),
        migrate(open(), () => 7),
      ]);
      const names = known.map(({ name }) => name);
      expect(applied.flat().sort()).to.deep.equal(names.sort());
      expect(await migrate(open(), () => 8)).to.deep.equal([]);
    });
  });

  describe("with others", () => {
    const open = useEmptyDatabase();
    const first = migration(1, "create table a (); create table b ();");
    const second = migration(2, "create table c ();");
    const failureOf = (migrations: Migration[]) =>
      migrate(open(), () => 7, migrations).then(
        () => "",
        (error: unknown) => String(error),
      );

    it("leaves nothing of one that fails, and all before it", async () => {
      const bad = migration(2, "create table c (); select 1 / 0;");
      expect(await failureOf([first, bad])).to.include("division by zero");
      const sql = open();
      const [row] = await sql`
        select to_regclass('b') is not null as b, to_regclass('c') is null as no_c,
          (select count(*) from schema_migrations) as rows`;
      expect(row).to.deep.equal({ b: true, noC: true, rows: 1 });
    });

    it("goes on from there", async () => {
      const applied = await migrate(open(), () => 7, [first, second]);
      expect(applied).to.deep.equal(["step-2"]);
    });

    it("refuses a database that is newer than the program", async () => {
      expect(await failureOf([first])).to.include("newer than this program");
    });

    it("refuses a database that was made by another text", async () => {
      const other = migration(2, "create table c ();", "other");
      expect(await failureOf([first, other])).to.include("another text");
    });
  });
});
