import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { Write, WriteRows } from "../../src/storage/write.ts";
import { committed, useCommitters } from "../support/committers.ts";
import { useDatabase } from "../support/database.ts";
import { eventRow, eventsWrite, newNid } from "../support/writes.ts";

const userId = "@rows:test";
const bytes = (n: number) => Buffer.from([n]);

describe("rows outside the room graph", () => {
  const database = useDatabase();
  const committers = useCommitters(database, 1);
  const commit = async (...writes: Write[]) =>
    (await Promise.all(writes.map((w) => committers[0]!.commit(w)))).map(
      committed,
    );
  const rows = (list: Partial<WriteRows>): Write => ({
    positions: 1,
    rows: list,
  });

  it("may be written twice in one batch: the later write stands", async () => {
    const { sql } = database;
    const device = { userId, deviceId: "D", keyId: 0, createdTs: 1 };
    const field = { at: 0, userId, name: "displayname", keyId: 0 };
    const stripped = { userId, roomNid: 5, keyId: 0 };
    const entry = { at: 0, userId, roomNid: 0, type: "m.x", keyId: 0 };
    await commit(
      rows({
        newUsers: [
          {
            userId,
            passwordHash: null,
            isGuest: false,
            createdTs: 1,
          },
        ],
      }),
    );
    const made = await commit(
      ...[1, 2, 3].map((n) =>
        rows({
          devices: [{ ...device, sealed: bytes(n) }],
          profileFields: [{ ...field, sealed: bytes(n) }],
          strippedStates: [{ ...stripped, sealed: bytes(n) }],
          accountData: [{ ...entry, sealed: bytes(n) }],
        }),
      ),
    );
    // Had the batch failed, its writes would have run in batches of their own.
    const [batch] = await sql`
      select count(*) as n from batches where last_position >= ${made[0]!.firstPosition}`;
    expect(batch).to.deep.equal({ n: 1 });
    for (const table of [
      "devices",
      "profile_fields",
      "stripped_states",
      "account_data",
    ]) {
      const found =
        await sql`select sealed from ${sql(table)} where user_id = ${userId}`;
      expect([...found], table).to.deep.equal([{ sealed: bytes(3) }]);
    }
    const [data] =
      await sql`select position from account_data where user_id = ${userId}`;
    expect(data).to.deep.equal({ position: made[2]!.firstPosition });
  });

  it("keep a receipt from moving backwards", async () => {
    const receipt = (eventPosition: number): WriteRows["receipts"][0] => ({
      at: 0,
      roomNid: 5,
      userId,
      receiptType: "m.read",
      thread: "",
      eventId: `$${eventPosition}`,
      eventPosition,
      receiptTs: 1,
    });
    await commit(
      rows({ receipts: [receipt(20)] }),
      rows({ receipts: [receipt(30)] }),
    );
    await commit(rows({ receipts: [receipt(25)] }));
    const [row] = await database.sql`
      select event_id, event_position from receipts where user_id = ${userId}`;
    expect(row).to.deep.equal({ eventId: "$30", eventPosition: 30 });
  });

  it("strip what a redaction names, and keep its skeleton", async () => {
    const target = eventRow({ roomNid: 6, skeleton: '{"kept":1}' });
    await commit({ positions: 1, events: [target] });
    const byNid = newNid();
    await commit(
      eventsWrite([{ nid: byNid, roomNid: 6 }], {
        rows: { redactions: [{ targetNid: target.nid, byNid }] },
      }),
    );
    const [row] = await database.sql`
      select redacted_by, skeleton, sealed from events left join event_contents using (nid)
      where nid = ${target.nid}`;
    expect(row).to.deep.equal({
      redactedBy: byNid,
      skeleton: '{"kept":1}',
      sealed: null,
    });
  });

  it("go with the device that they belong to", async () => {
    const { sql } = database;
    const device = { userId, deviceId: "GONE" };
    const token = {
      tokenHash: randomBytes(8),
      tokenId: newNid(),
      refresh: randomBytes(8),
    };
    await commit(
      rows({
        devices: [{ ...device, keyId: 0, sealed: bytes(1), createdTs: 1 }],
        newTokens: [{ ...device, ...token, expiresTs: null, createdTs: 1 }],
        deviceKeys: [{ ...device, json: "{}" }],
      }),
    );
    await commit(
      rows({
        toDevice: [
          { ...device, at: 0, ordinal: 0, keyId: 0, sealed: bytes(1) },
          {
            userId,
            deviceId: "NEVER",
            at: 0,
            ordinal: 0,
            keyId: 0,
            sealed: bytes(1),
          },
        ],
      }),
    );
    const count = async () => {
      const [row] = await sql<{ n: number }[]>`
        select (select count(*) from access_tokens where device_id = 'GONE')
          + (select count(*) from refresh_tokens where device_id = 'GONE')
          + (select count(*) from device_keys where device_id = 'GONE')
          + (select count(*) from to_device where device_id in ('GONE', 'NEVER')) as n`;
      return row!.n;
    };
    expect(await count()).to.equal(4);
    await commit(rows({ removedDevices: [device] }));
    expect(await count()).to.equal(0);
  });

  it("change what a user update names and nothing else", async () => {
    await commit(
      rows({ userUpdates: [{ userId, passwordHash: "h", isSuspended: true }] }),
    );
    await commit(rows({ userUpdates: [{ userId, isLocked: true }] }));
    const read = async () => {
      const [row] = await database.sql`
        select password_hash, is_suspended, is_locked, is_deactivated from users where user_id = ${userId}`;
      return row;
    };
    const expected = {
      isSuspended: true,
      isLocked: true,
      isDeactivated: false,
    };
    expect(await read()).to.deep.equal({ passwordHash: "h", ...expected });
    await commit(rows({ userUpdates: [{ userId, passwordHash: null }] }));
    expect(await read()).to.deep.equal({ passwordHash: null, ...expected });
  });

  it("follow the changes of current state and of membership", async () => {
    const roomNid = newNid();
    const place = { roomNid, type: "m\0x", stateKey: '"' };
    const membership = { roomNid, userId, sender: userId };
    const [made] = await commit({
      positions: 2,
      stateChanges: [
        { at: 0, ...place, oldNid: null, newNid: 1 },
        { at: 1, ...place, oldNid: 1, newNid: 2 },
        { at: 0, ...place, type: "m.y", oldNid: null, newNid: 3 },
      ],
      memberships: [
        { at: 0, ...membership, membership: "invite", nid: 1 },
        { at: 1, ...membership, membership: "join", nid: 2 },
      ],
    });
    const current = () =>
      database.sql`select type, state_key, nid from current_state where room_nid = ${roomNid} order by nid`;
    const escaped = { type: "m\\u0000x", stateKey: '\\"' };
    expect([...(await current())]).to.deep.equal([
      { ...escaped, nid: 2 },
      { type: "m.y", stateKey: '\\"', nid: 3 },
    ]);
    const [member] = await database.sql`
      select membership, position from memberships where room_nid = ${roomNid}`;
    expect(member).to.deep.equal({
      membership: "join",
      position: made!.lastPosition,
    });
    await commit({
      positions: 1,
      stateChanges: [{ at: 0, ...place, oldNid: 2, newNid: null }],
    });
    expect(await current()).to.have.length(1);
  });
});
