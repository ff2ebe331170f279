import { expect } from "chai";
import { createNidSource } from "../../src/storage/nids.ts";
import { useDatabase } from "../support/database.ts";

describe("createNidSource", () => {
  const database = useDatabase();

  it("never gives a number twice, whoever asks and for however many", async () => {
    const sources = [database.sql, database.open()].map(createNidSource);
    const counts = [1, 0, 999, 1000, 1001, 2500, 3, 4000];
    const taken = await Promise.all(
      counts.flatMap((count) =>
        sources.map(async (source) => {
          const nids = await source.take(count);
          expect(nids).to.have.length(count);
          return nids;
        }),
      ),
    );
    const all = taken.flat();
    expect(new Set(all).size).to.equal(all.length);
    expect(Math.min(...all)).to.be.at.least(1000);
  });

  it("answers at once when it has some in hand", async () => {
    const source = createNidSource(database.sql);
    await source.take(1);
    expect(source.take(5)).to.be.an("array").with.length(5);
  });
});
