import { expect } from "chai";
import {
  OTHERWISE,
  PERSONAL_TABLES,
} from "../../../src/domain/privacy/personal-tables.ts";
import { useDatabase } from "../../support/database.ts";
import { listColumns, type ColumnRow } from "../../support/describe-schema.ts";

/** Columns that name a person whom a row is of; who did something as an administrator is named `…_by`. */
const PERSONS = /^(?:user_id|reporter|sender|owner|creator)$/;

describe("tables that hold personal data", () => {
  const database = useDatabase();
  let columns: ColumnRow[];
  const of = (table: string) => columns.filter((c) => c.table === table);

  before(async () => {
    columns = await listColumns(database.sql);
  });

  it("G10: are all known to the export and to the erasure, by the classes of their columns", () => {
    const personal = columns.filter(
      (column) =>
        column.class === "sealed" ||
        (column.class === "id" && PERSONS.test(column.column)),
    );
    const known = new Set([
      ...PERSONAL_TABLES.map(({ table }) => table),
      ...Object.keys(OTHERWISE),
    ]);
    expect(personal).to.have.length.above(40);
    const unknown = personal.filter(({ table }) => !known.has(table));
    expect(
      unknown.map(({ table, column }) => `${table}.${column}`),
    ).to.deep.equal([]);
  });

  it("are named with columns that they have", () => {
    for (const { table, of: person, key, hides } of PERSONAL_TABLES)
      expect(
        of(table).map(({ column }) => column),
        table,
      ).to.include.members([person, ...key, ...hides]);
  });

  it("give out no secret, and no hash that stands for one", () => {
    for (const { table, hides } of PERSONAL_TABLES) {
      const secret = of(table).filter(
        (column) =>
          column.class === "secret" ||
          (column.class === "hash" && column.type === "bytea"),
      );
      expect(hides, table).to.include.members(
        secret.map(({ column }) => column),
      );
    }
  });

  it("have their rows ordered by a key", async () => {
    const keys = await database.sql<{ table: string; columns: string[] }[]>`
      select c.relname as table, array_agg(a.attname::text) as columns
      from pg_index i join pg_class c on c.oid = i.indrelid
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
      where i.indisunique group by c.relname, i.indexrelid`;
    for (const { table, key } of PERSONAL_TABLES)
      expect(
        keys.some(
          (each) =>
            each.table === table &&
            each.columns.toSorted().join() === [...key].toSorted().join(),
        ),
        table,
      ).to.equal(true);
  });
});
