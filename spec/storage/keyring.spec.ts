import { expect } from "chai";
import { inspect } from "node:util";
import { destroyKeys } from "../../src/storage/destroy-keys.ts";
import type { KeyName } from "../../src/storage/keyring.ts";
import type { Sealed } from "../../src/storage/write.ts";
import { useKeyrings } from "./use-keyrings.ts";
import type { KeyringProcess } from "./use-keyrings.ts";

const nameOf = (
  scope: KeyName["scope"],
  owner: string,
  span = "",
): KeyName => ({ scope, owner, span });

describe("Keyring", () => {
  const keyrings = useKeyrings();
  let one: KeyringProcess;
  let two: KeyringProcess;
  before(async () => {
    one = await keyrings.start();
    two = await keyrings.start();
  });

  describe("seal and open", () => {
    const alice = nameOf("user-span", "@alice:hs", "2026-11");
    const room = nameOf("room-span", "!room:hs", "2026-11");

    it("gives back content under one key and under two, in another process too", async () => {
      const [first, second] = await one.keyring.prepare([alice, room]);
      for (const other of [undefined, second!]) {
        const content = one.keyring.seal(
          '{"body":"ß𝄞"}',
          "$event",
          first!,
          other,
        );
        const living = await two.keyring.findByIds([
          content.firstKey,
          content.secondKey,
        ]);
        expect(Buffer.from(content.sealed).includes("body")).to.equal(false);
        expect(two.keyring.open(content, "$event", living)).to.equal(
          '{"body":"ß𝄞"}',
        );
      }
    });

    it("refuses another context, changed bytes and swapped keys", async () => {
      const [first, second] = await one.keyring.prepare([alice, room]);
      const content = one.keyring.seal("text", "$event", first!, second);
      const { firstKey, secondKey } = content;
      const living = await one.keyring.findByIds([firstKey, secondKey]);
      const { keyring } = one;
      expect(() => keyring.open(content, "$other", living)).to.throw();
      const sealed = Buffer.from(content.sealed);
      sealed[20]! ^= 1;
      expect(() =>
        keyring.open({ ...content, sealed }, "$event", living),
      ).to.throw();
      const swapped = { ...content, firstKey: secondKey, secondKey: firstKey };
      expect(() => keyring.open(swapped, "$event", living)).to.throw();
    });

    it("shows no secret when a key is printed or serialised", async () => {
      const [key] = await one.keyring.prepare([alice]);
      const shown = inspect(key, { depth: 9, showHidden: true });
      expect(shown).not.to.match(/secret|buffer/i);
      expect(
        Object.keys(JSON.parse(JSON.stringify(key)) as object),
      ).to.deep.equal(["keyId", "name"]);
    });

    it("seals 500 bytes within microseconds once the keys are there", async () => {
      const [first, second] = await one.keyring.prepare([alice, room]);
      const text = "x".repeat(500);
      const sealMany = (count: number) => {
        const before = process.cpuUsage();
        for (let i = 0; i < count; i += 1) {
          one.keyring.seal(
            text,
            "$0123456789012345678901234567890123456789012",
            first!,
            second,
          );
        }
        const { user, system } = process.cpuUsage(before);
        return (user + system) / count;
      };
      sealMany(5000);
      const best = Math.min(...[1, 2, 3, 4, 5].map(() => sealMany(5000)));
      // 5 µs on an idle machine; other work on the same cores may treble it.
      expect(best).to.be.below(15);
    });
  });

  describe("prepare", () => {
    it("answers the same key for the same name, in the order asked", async () => {
      const names = ["c", "a", "b", "a"].map((owner) =>
        nameOf("member", owner),
      );
      const keys = await one.keyring.prepare(names);
      expect(keys[1]!.keyId).to.equal(keys[3]!.keyId);
      expect(new Set(keys.map((key) => key.keyId)).size).to.equal(3);
      const again = await two.keyring.prepare(names);
      expect(again.map((key) => key.keyId)).to.deep.equal(
        keys.map((key) => key.keyId),
      );
    });

    it("agrees on one key where two processes and many calls make it at once", async () => {
      const names = Array.from({ length: 60 }, (_, i) =>
        nameOf("user", `@racer${i}:hs`),
      );
      const backwards = names.toReversed();
      const answers = await Promise.all([
        one.keyring.prepare(names),
        two.keyring.prepare(backwards),
        one.keyring.prepare(backwards),
        two.keyring.prepare(names),
      ]);
      const [ids, ...others] = answers.map((keys, i) =>
        (i === 1 || i === 2 ? keys.toReversed() : keys).map((key) => key.keyId),
      );
      for (const other of others) expect(other).to.deep.equal(ids);
      const [row] = await one.sql<{ count: number }[]>`
        select count(*) from keys where owner like '@racer%'`;
      expect(row!.count).to.equal(60);
    });
  });

  describe("a row of the key table", () => {
    it("opens in its own place alone", async () => {
      const third = await keyrings.start();
      const [key] = await one.keyring.prepare([nameOf("user", "@mallory:hs")]);
      await one.sql`update keys set owner = '@victim:hs' where key_id = ${key!.keyId}`;
      let error: unknown;
      await third.keyring
        .findByIds([key!.keyId])
        .catch((caught: unknown) => (error = caught));
      expect(error).to.be.instanceOf(Error);
    });
  });

  describe("destroyKeys", () => {
    it("leaves nothing that opens, here or in another process, and a new key for the name", async () => {
      const name = nameOf("room-span", "!gone:hs", "2026-10");
      const [key] = await one.keyring.prepare([name]);
      const content = one.keyring.seal("text", "$event", key!);
      await two.keyring.findByIds([key!.keyId]);

      const heard = new Promise<void>((resolve) => {
        two.bus.onMessage(({ kind }) => {
          if (kind === "keysDestroyed") resolve();
        });
      });
      expect(await destroyKeys(one, [name])).to.equal(1);
      await heard;

      for (const { keyring } of [one, two]) {
        const living = await keyring.findByIds([key!.keyId]);
        expect(living.size).to.equal(0);
        expect(keyring.open(content, "$event", living)).to.equal(undefined);
      }
      const [next] = await two.keyring.prepare([name]);
      expect(next!.keyId).not.to.equal(key!.keyId);
      const [same] = await one.keyring.prepare([name]);
      expect(same!.keyId).to.equal(next!.keyId);
    });

    it("is made up for where the hint was lost: a forgotten key is made anew", async () => {
      const name = nameOf("user-span", "@lost:hs", "2026-10");
      const [stale] = await two.keyring.prepare([name]);
      await one.sql`delete from keys where key_id = ${stale!.keyId}`;
      expect((await two.keyring.prepare([name]))[0]).to.equal(stale);
      two.keyring.forget([stale!.keyId]);
      const [fresh] = await two.keyring.prepare([name]);
      expect(fresh!.keyId).not.to.equal(stale!.keyId);
    });
  });

  describe("sealForUser and openAll", () => {
    it("seals under the user's own key and opens many with one query", async () => {
      const rows: ({ context: string } & Sealed)[] = [];
      for (const user of ["@u1:hs", "@u2:hs", "@u1:hs"]) {
        const context = `devices.sealed ${user} ${rows.length}`;
        rows.push({
          context,
          ...(await one.keyring.sealForUser(user, context, `of ${user}`)),
        });
      }
      expect(rows[0]!.keyId).to.equal(rows[2]!.keyId);
      expect(await two.keyring.openAll(rows)).to.deep.equal([
        "of @u1:hs",
        "of @u2:hs",
        "of @u1:hs",
      ]);
    });

    it("opens the others where one is destroyed and one is damaged", async () => {
      const seal = async (user: string) => ({
        context: "c",
        ...(await one.keyring.sealForUser(user, "c", user)),
      });
      const [good, dead, damaged] = [
        await seal("@good:hs"),
        await seal("@dead:hs"),
        { ...(await seal("@good:hs")), context: "elsewhere" },
      ];
      await destroyKeys(one, [nameOf("user", "@dead:hs")]);
      expect(await one.keyring.openAll([dead, damaged, good])).to.deep.equal([
        undefined,
        undefined,
        "@good:hs",
      ]);
    });
  });

  describe("with sealing off", () => {
    it("stores plain text under key 0, makes no keys, and still opens what was sealed", async () => {
      const plain = await keyrings.start({ isSealing: false });
      const name = nameOf("user", "@plain:hs");
      const [key] = await plain.keyring.prepare([name]);
      const content = plain.keyring.seal("plain ß", "$event", key!);
      expect(content).to.deep.equal({
        firstKey: 0,
        secondKey: 0,
        sealed: Buffer.from("plain ß"),
      });
      expect(plain.keyring.open(content, "$event", new Map())).to.equal(
        "plain ß",
      );
      expect(one.keyring.open(content, "$event", new Map())).to.equal(
        "plain ß",
      );
      const rows = await plain.sql`select from keys where owner = '@plain:hs'`;
      expect(rows.length).to.equal(0);
      const sealed = await one.keyring.sealForUser("@u1:hs", "c", "sealed");
      expect(
        await plain.keyring.openAll([{ context: "c", ...sealed }]),
      ).to.deep.equal(["sealed"]);
    });
  });

  it("counts spans by months in UTC", () => {
    expect(one.keyring.spanAt(Date.UTC(2026, 10, 30, 23, 59))).to.equal(
      "2026-11",
    );
    expect(one.keyring.spanAt(Date.UTC(2026, 11, 1))).to.equal("2026-12");
  });
});
