import { expect } from "chai";
import { useDatabase } from "../support/database.ts";
import { listColumns } from "../support/describe-schema.ts";
import type { ColumnRow } from "../support/describe-schema.ts";

/** The privacy classes that a column may have. */
const CLASSES = [
  ...["id", "time", "number", "flag", "hash"],
  ...["secret", "sealed", "protocol", "setting"],
];

describe("privacy classes of columns", () => {
  const database = useDatabase();
  let columns: ColumnRow[];

  before(async () => {
    columns = await listColumns(database.sql);
  });

  it("sees the tables", () => {
    const tables = new Set(columns.map(({ table }) => table));
    expect(tables.size).to.be.above(30);
  });

  it("names one for every column", () => {
    const unknown = columns
      .filter((column) => !CLASSES.includes(column.class ?? ""))
      .map(({ table, column }) => `${table}.${column}`);
    expect(unknown).to.deep.equal([]);
  });

  it("seals bytes, and names a key beside them", () => {
    const sealed = columns.filter((column) => column.class === "sealed");
    expect(sealed).to.have.length.above(5);
    for (const { table, type } of sealed) {
      expect(type, table).to.equal("bytea");
      const names = columns.filter((c) => c.table === table);
      expect(
        names.some((c) => /_key$|^key_id$/.test(c.column)),
        table,
      ).to.equal(true);
    }
  });

  it("orders every id and protocol text by code points", () => {
    const others = columns.filter(
      (column) =>
        column.type === "text" &&
        !column.isC &&
        /(^|_)(id|type|key|user|alias|thread|sender|target)$/.test(
          column.column,
        ),
    );
    expect(others).to.deep.equal([]);
  });
});
