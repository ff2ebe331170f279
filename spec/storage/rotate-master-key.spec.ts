import { expect } from "chai";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { KeyName } from "../../src/storage/keyring.ts";
import { rotateMasterKey } from "../../src/storage/rotate-master-key.ts";
import { loadSecrets } from "../../src/storage/secrets.ts";
import { useKeyrings } from "./use-keyrings.ts";

describe("rotateMasterKey", () => {
  const keyrings = useKeyrings();
  const names = Array.from({ length: 25 }, (_, i): KeyName => ({
    scope: "user",
    owner: `@u${i}:hs`,
    span: "",
  }));
  const epochs = async () => {
    const rows = await keyrings.database.sql<
      { masterEpoch: number; count: number }[]
    >`select master_epoch, count(*) from keys group by 1 order by 1`;
    return rows.map((row) => [row.masterEpoch, row.count]);
  };

  it("wraps all living keys anew, reaches running processes, and lets the old key go", async () => {
    const one = await keyrings.start();
    const two = await keyrings.start();
    await one.keyring.prepare(names);
    const content = await one.keyring.sealForUser("@u3:hs", "c", "kept");

    const rotation = await rotateMasterKey(
      one.sql,
      keyrings.source,
      one.secrets.masterKeys,
      { batch: 10 },
    );
    expect(rotation).to.deep.equal({ epoch: 2, retired: [1], rewrapped: 25 });
    expect(await epochs()).to.deep.equal([[2, 25]]);
    await rm(join(keyrings.source.keysDir, "master-1"));

    // It knows of the old epoch alone, and learns.
    expect(
      await two.keyring.openAll([{ context: "c", ...content }]),
    ).to.deep.equal(["kept"]);
    const three = await keyrings.start();
    expect(
      await three.keyring.openAll([{ context: "c", ...content }]),
    ).to.deep.equal(["kept"]);
  });

  it("makes no key under an epoch that is over", async () => {
    const [behind, ahead] = [await keyrings.start(), await keyrings.start()];
    await rotateMasterKey(ahead.sql, keyrings.source, ahead.secrets.masterKeys);
    expect(behind.secrets.masterKeys.epoch).to.equal(2);
    await behind.keyring.sealForUser("@late:hs", "c", "text");
    expect(await epochs()).to.deep.equal([[3, 26]]);
  });

  it("goes on after it was killed on the way", async () => {
    const { sql, secrets, keyring } = await keyrings.start();
    await sql`
      create function stop_late() returns trigger language plpgsql as $$
      begin
        if new.owner = '@u7:hs' then raise 'killed'; end if;
        return new;
      end $$`;
    await sql`create trigger stop_late before update on keys for each row execute function stop_late()`;
    let error: unknown;
    await rotateMasterKey(sql, keyrings.source, secrets.masterKeys, {
      batch: 3,
    }).catch((caught: unknown) => (error = caught));
    expect(error).to.be.instanceOf(Error);
    await sql`drop trigger stop_late on keys`;
    expect((await epochs()).length, "some of each").to.equal(2);
    // A process that starts now has need of both.
    await loadSecrets(keyrings.source, sql);
    expect(await keyring.prepare(names)).to.have.length(25);

    const { epoch, retired } = await rotateMasterKey(
      sql,
      keyrings.source,
      secrets.masterKeys,
    );
    expect([epoch, retired]).to.deep.equal([4, [3]]);
    expect(await epochs()).to.deep.equal([[4, 26]]);
  });
});
