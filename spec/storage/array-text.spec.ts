import { expect } from "chai";
import fc from "fast-check";
import { formatArray, parseArray } from "../../src/storage/array-text.ts";
import { useDatabase } from "../support/database.ts";

const text = fc
  .string({ unit: "binary" })
  .filter((s) => !s.includes("\0") && !/\p{Surrogate}/u.test(s));

describe("arrays of the database", () => {
  const database = useDatabase();

  it("read back as what was written", () => {
    fc.assert(
      fc.property(fc.array(fc.option(text)), (items) => {
        const written = formatArray(items, (item) => item);
        expect(parseArray(written, (item) => item)).to.deep.equal(items);
      }),
    );
  });

  it("pass through the database unchanged", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(text)), async (items) => {
        const [row] = await database.sql`
          select ${items}::text[] as same, array_length(${items}::text[], 1) as length`;
        expect(row).to.deep.equal({
          same: items,
          length: items.length === 0 ? null : items.length,
        });
      }),
      { numRuns: 60 },
    );
  });

  it("hold numbers, flags, bytes and nulls", async () => {
    const { sql } = database;
    const [row] = await sql`
      select ${[1, 2 ** 52, null]}::bigint[] as a, array[1, null]::int[] as b, array[true, false] as c,
        array['\\x00ff']::bytea[] as d, ${[]}::bigint[] as e,
        ${sql.typed([Buffer.from([7, 0])] as never, 1001)}::bytea[] as f`;
    expect(row).to.deep.equal({
      a: [1, 2 ** 52, null],
      b: [1, null],
      c: [true, false],
      d: [Buffer.from([0, 255])],
      e: [],
      f: [Buffer.from([7, 0])],
    });
  });
});
