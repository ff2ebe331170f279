import { expect } from "chai";
import { claimKeys } from "../../../src/domain/encryption/claim-keys.ts";
import { newDevice } from "../../support/device-identity.ts";
import { useServer } from "../../support/server.ts";
import { SyncReader } from "../../support/sync-reader.ts";

describe("claimKeys", () => {
  const server = useServer();

  it("row 61: gives no key twice, whatever many claims run in two processes", async function () {
    this.timeout(60_000);
    const second = await server.startProcess();
    const alice = await server.user("alice");
    const { oneTimeKey } = newDevice(alice);
    const ids = Array.from({ length: 500 }, (_, i) => `K${i}`);
    const one_time_keys = Object.fromEntries(
      ids.flatMap((id) => Object.entries(oneTimeKey(id))),
    );
    await alice.post("/keys/upload", { one_time_keys });
    const wanted = {
      [alice.userId]: { [alice.deviceId]: "signed_curve25519" },
    };
    const claims = await Promise.all(
      Array.from({ length: 1000 }, (_, i) =>
        claimKeys(i % 2 === 0 ? server.edges : second.edges, wanted),
      ),
    );
    const given = claims.flatMap(({ one_time_keys: keys }) => {
      const devices = keys[alice.userId] as Record<string, object> | undefined;
      return Object.keys(devices?.[alice.deviceId] ?? {});
    });
    expect(given).to.have.lengthOf(new Set(given).size);
    const left = await server.database.sql`
      select key_id from one_time_keys where user_id = ${alice.userId}`;
    expect(given.length + left.length).to.equal(500);
    expect(given.length).to.be.at.least(490);
  });

  it("shows their owner's waiting sync what is left, once", async () => {
    const second = await server.startProcess();
    const bob = await server.user("bob");
    const { oneTimeKey } = newDevice(bob);
    await bob.post("/keys/upload", {
      one_time_keys: { ...oneTimeKey("A"), ...oneTimeKey("B") },
      fallback_keys: oneTimeKey("F"),
    });
    const wanted = { [bob.userId]: { [bob.deviceId]: "signed_curve25519" } };
    const reader = new SyncReader(bob);
    await reader.next();
    for (const left of [1, 0]) {
      const waiting = reader.next({ timeout: 60_000 });
      await claimKeys(second.edges, wanted);
      const { device_one_time_keys_count: counts } = await waiting;
      expect(counts).to.deep.equal({ signed_curve25519: left });
    }
    // Nor is it lost between two syncs.
    await claimKeys(second.edges, wanted);
    const answer = await reader.next({ timeout: 60_000 });
    expect(answer.device_unused_fallback_key_types).to.deep.equal([]);
    const head = await server.edges.notifier.refresh();
    await claimKeys(second.edges, wanted);
    expect(await server.edges.notifier.refresh(), "nothing new").to.equal(head);
  });
});
