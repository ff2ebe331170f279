import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { Write, WriteRows } from "../../src/storage/write.ts";
import { committed, useCommitters } from "../support/committers.ts";
import { quiet, useDatabase } from "../support/database.ts";
import { eventRow, eventsWrite, newNid, roomWrite } from "../support/writes.ts";

const sealed = Buffer.from([1]);

describe("what a write asks for", () => {
  const database = useDatabase();
  const warnings: string[] = [];
  const log = {
    ...quiet,
    warn: (_: object, text: string) => warnings.push(text),
  };
  const committers = useCommitters(database, 2, { log });
  const commit = (write: Write, process = 0) =>
    committers[process]!.commit(write);

  const newUser = (userId: string): WriteRows["newUsers"][0] => ({
    userId,
    passwordHash: null,
    isGuest: false,
    createdTs: 1,
  });

  const countRows = async () => {
    const { sql } = database;
    const tables = await sql<{ name: string }[]>`
      select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'batches' order by 1`;
    const counts: Record<string, number> = {};
    for (const { name } of tables) {
      const [row] = await sql<{ n: number }[]>`
        select count(*) as n from ${sql(name)}`;
      counts[name] = row!.n;
    }
    return counts;
  };

  async function makeRoom(): Promise<number> {
    const roomNid = newNid();
    committed(await commit(roomWrite(roomNid)));
    return roomNid;
  }

  async function makeKey(): Promise<number> {
    const keyId = newNid();
    await database.sql`
      insert into keys (key_id, scope, owner, span, master_epoch, wrapped, created_ts)
      values (${keyId}, 'user', ${`@${keyId}:test`}, '', 1, '\\x00', 1)`;
    return keyId;
  }

  it("sets the room's state and replaces the extremities that it cites", async () => {
    const roomNid = await makeRoom();
    const run = { roomNid, cited: [], left: [11, 12] };
    const next = { stateVersion: 1, snapshotId: 7 };
    committed(
      await commit({
        positions: 1,
        rooms: [{ ...run, stateVersion: 0, next }],
      }),
    );
    committed(
      await commit({
        positions: 1,
        rooms: [{ roomNid, stateVersion: 1, cited: [11], left: [13] }],
      }),
    );
    const [room] = await database.sql`
      select state_version, snapshot_id,
        (select array_agg(nid order by nid) from forward_extremities f where f.room_nid = r.room_nid) as left
      from rooms r where room_nid = ${roomNid}`;
    expect(room).to.deep.equal({
      stateVersion: 1,
      snapshotId: 7,
      left: [12, 13],
    });
  });

  it("loses the room whose state moved, and only that room", async () => {
    const [moved, calm] = [await makeRoom(), await makeRoom()];
    const before = await countRows();
    const run = (roomNid: number, stateVersion: number) =>
      eventsWrite([{ roomNid }], {
        rooms: [{ roomNid, stateVersion, cited: [], left: [newNid()] }],
      });
    const results = await Promise.all([
      commit(run(moved, 3)),
      commit(run(calm, 0)),
    ]);
    expect(results[0]).to.deep.equal({ status: "conflict", over: "room" });
    expect(results[1]).to.include({ status: "committed" });
    const after = await countRows();
    expect(after["events"]! - before["events"]!).to.equal(1);
    expect(
      after["forward_extremities"]! - before["forward_extremities"]!,
    ).to.equal(1);
  });

  it("lets exactly one of many change a room's state from the same version", async () => {
    const roomNid = await makeRoom();
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        commit(
          {
            positions: 1,
            rooms: [
              {
                roomNid,
                stateVersion: 0,
                next: { stateVersion: 1, snapshotId: i },
                cited: [],
                left: [],
              },
            ],
          },
          i % 2,
        ),
      ),
    );
    const won = results.filter(({ status }) => status === "committed");
    expect(won).to.have.length(1);
  });

  it("answers the twin of a write with the first one's answer", async () => {
    const key = randomBytes(16);
    const attempt = (process: number, i: number) =>
      commit(
        eventsWrite([{}], {
          idempotency: [
            { key: randomBytes(16), answer: "other" },
            { key, answer: `$${i}` },
          ],
        }),
        process,
      );
    const before = await countRows();
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, i) => attempt(i % 2, i)),
    );
    const after = await countRows();
    const winners = results.flatMap(({ status }, i) =>
      status === "committed" ? [i] : [],
    );
    expect(winners).to.have.length(1);
    const twin = {
      status: "duplicate",
      index: 1,
      answer: `$${winners[0]}`,
    };
    for (const result of results) {
      if (result.status !== "committed") expect(result).to.deep.equal(twin);
    }
    expect(await attempt(1, 99)).to.deep.equal(twin);
    expect(after["events"]! - before["events"]!).to.equal(1);
    expect(after["idempotency"]! - before["idempotency"]!).to.equal(2);
  });

  it("gives a user id to one of a hundred", async () => {
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        commit(
          { positions: 1, rows: { newUsers: [newUser("@race:test")] } },
          i % 2,
        ),
      ),
    );
    const lost = results.filter(({ status }) => status === "conflict");
    expect(lost).to.have.length(99);
    expect(lost[0]).to.deep.equal({ status: "conflict", over: "user" });
  });

  it("gives an alias to one of a hundred", async () => {
    const roomNid = await makeRoom();
    const alias = { alias: "#race:test", creator: "@a:test", createdTs: 1 };
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        commit(
          { positions: 1, rows: { newAliases: [{ ...alias, roomNid }] } },
          i % 2,
        ),
      ),
    );
    const lost = results.filter(({ status }) => status === "conflict");
    expect(lost).to.have.length(99);
    expect(lost[0]).to.deep.equal({ status: "conflict", over: "alias" });
  });

  it("uses a registration token as often as it allows, and not for users who lose", async () => {
    await database.sql`
      insert into registration_tokens (token, uses_allowed, created_ts) values ('three', 3, 1)`;
    const register = (userId: string, process: number) =>
      commit(
        {
          positions: 1,
          rows: {
            newUsers: [newUser(userId)],
            registrationTokenUses: [{ token: "three", nowTs: 2 }],
          },
        },
        process,
      );
    committed(await register("@t0:test", 0));
    expect(await register("@t0:test", 1)).to.include({ over: "user" });
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, i) => register(`@t${i + 1}:test`, i % 2)),
    );
    const won = results.filter(({ status }) => status === "committed");
    expect(won).to.have.length(2);
    const lost = results.find(({ status }) => status === "conflict");
    expect(lost).to.include({ over: "registration-token" });
    const [row] = await database.sql`
      select completed, (select count(*) from users where user_id like '@t%') as users
      from registration_tokens where token = 'three'`;
    expect(row).to.deep.equal({ completed: 3, users: 3 });
  });

  it("needs its users active and its devices there", async () => {
    const userId = "@active:test";
    const device = { userId, deviceId: "D" };
    const rows = { ...device, keyId: 0, sealed, createdTs: 1 };
    await commit({
      positions: 1,
      rows: { newUsers: [newUser(userId)], devices: [rows] },
    });
    const needs = {
      positions: 1,
      activeUsers: [userId],
      liveDevices: [device],
    };
    committed(await commit(needs));
    await commit({ positions: 1, rows: { removedDevices: [device] } });
    expect(await commit(needs)).to.include({ over: "missing-device" });
    const userUpdates = [{ userId, isDeactivated: true }];
    await commit({ positions: 1, rows: { userUpdates } });
    expect(await commit(needs)).to.include({ over: "inactive-user" });
  });

  it("gives no session to a device that sleeps, and puts none to sleep that has a session", async () => {
    const userId = "@sleepy:test";
    const row = { keyId: 0, sealed, createdTs: 1 };
    const opens = (deviceId: string): Write => ({
      positions: 1,
      activeUsers: [userId],
      rows: {
        devices: [{ userId, deviceId, ...row }],
        newTokens: [
          {
            tokenHash: randomBytes(32),
            tokenId: newNid(),
            ...{ userId, deviceId, expiresTs: null, createdTs: 1 },
            refresh: null,
          },
        ],
      },
    });
    const sleeps = (deviceId: string): Write => ({
      positions: 1,
      activeUsers: [userId],
      rows: {
        devices: [{ userId, deviceId, ...row }],
        dehydratedDevices: [{ at: 0, userId, deviceId, keyId: 0, sealed }],
      },
    });
    await commit({ positions: 1, rows: { newUsers: [newUser(userId)] } });
    const conflict = { status: "conflict", over: "device" };
    committed(await commit(opens("A")));
    expect(await commit(sleeps("A"))).to.deep.equal(conflict);
    committed(await commit(sleeps("B")));
    expect(await commit(opens("B"))).to.deep.equal(conflict);
    for (let n = 0; n < 20; n += 1) {
      const deviceId = `C${n}`;
      const outcomes = await Promise.all([
        commit(opens(deviceId), n % 2),
        commit(sleeps(deviceId), 1),
      ]);
      const lost = outcomes.filter(({ status }) => status !== "committed");
      expect(lost).to.deep.equal([conflict]);
    }
  });

  it("never locks itself up where some need what others change", async () => {
    const users = ["@x:test", "@y:test", "@z:test"];
    const roomNid = await makeRoom();
    await commit({ positions: 1, rows: { newUsers: users.map(newUser) } });
    const devices = users.map((userId) => ({ userId, deviceId: "D" }));
    const row = { keyId: 0, sealed, createdTs: 1 };
    const kinds: Record<string, (i: number) => Write> = {
      needUsers: () => ({ positions: 1, activeUsers: users }),
      changeUser: (i) => ({
        positions: 1,
        rows: { userUpdates: [{ userId: users[i % 3]!, isLocked: false }] },
      }),
      needDevices: () => ({ positions: 1, liveDevices: devices }),
      addDevice: (i) => ({
        positions: 1,
        rows: { devices: [{ ...devices[i % 3]!, ...row }] },
      }),
      removeDevice: (i) => ({
        positions: 1,
        rows: { removedDevices: [devices[i % 3]!] },
      }),
      needRoom: () => ({
        positions: 1,
        rooms: [{ roomNid, stateVersion: 0, cited: [], left: [] }],
      }),
      changeRoom: (i) => ({
        positions: 1,
        rows: { roomPublications: [{ roomNid, isPublished: i % 2 === 0 }] },
      }),
    };
    // One kind of lock at a time: a common room alone would keep batches apart.
    for (const group of [/Users?$/, /Devices?$/, /Room$/]) {
      const writes = Object.keys(kinds).filter((name) => group.test(name));
      await Promise.all(
        writes.flatMap((name) =>
          [0, 1].map(async (process) => {
            for (let i = 0; i < 25; i += 1)
              await commit(kinds[name]!(i), process);
          }),
        ),
      );
    }
    expect(warnings).to.deep.equal([]);
  });

  it("needs the keys that sealed its rows", async () => {
    const [living, dead] = [await makeKey(), await makeKey()];
    await database.sql`delete from keys where key_id = ${dead}`;
    const write = (secondKey: number) =>
      eventsWrite([{ content: { firstKey: living, secondKey, sealed } }]);
    committed(await commit(write(living)));
    const conflict = { status: "conflict", over: "key" };
    expect(await commit(write(dead))).to.deep.equal(conflict);
    const toDevice = (keyId: number) => [
      { at: 0, ordinal: 0, userId: "@a:test", deviceId: "D", keyId, sealed },
    ];
    committed(
      await commit({ positions: 1, rows: { toDevice: toDevice(living) } }),
    );
    expect(
      await commit({ positions: 1, rows: { toDevice: toDevice(dead) } }),
    ).to.deep.equal(conflict);
  });

  it("leaves no row of a write that lost", async () => {
    await database.sql`
      insert into registration_tokens (token, created_ts) values ('unlimited', 1)`;
    const roomNid = newNid();
    const userId = "@nobody:test";
    const place = { roomNid, type: "m.x", stateKey: "" };
    const write: Write = {
      ...roomWrite(roomNid),
      positions: 2,
      idempotency: [{ key: randomBytes(16), answer: "x" }],
      events: [
        eventRow({
          roomNid,
          content: { firstKey: newNid(), secondKey: 0, sealed },
        }),
      ],
      snapshots: [
        {
          snapshotId: newNid(),
          roomNid,
          parentId: null,
          hops: 0,
          size: 0,
          added: sealed,
          removed: sealed,
          hash: sealed,
        },
      ],
      stateChanges: [{ at: 0, ...place, oldNid: null, newNid: 1 }],
      memberships: [
        { at: 0, userId, roomNid, membership: "join", sender: userId, nid: 1 },
      ],
      audit: ["{}"],
    };
    write.rows = {
      ...write.rows,
      newUsers: [newUser(userId)],
      newAliases: [
        { alias: "#no:test", roomNid, creator: userId, createdTs: 1 },
      ],
      registrationTokenUses: [{ token: "unlimited", nowTs: 1 }],
      devices: [{ userId, deviceId: "D", createdTs: 1, keyId: 0, sealed }],
      newTokens: [
        {
          tokenHash: randomBytes(8),
          tokenId: newNid(),
          userId,
          deviceId: "D",
          expiresTs: null,
          createdTs: 1,
          refresh: randomBytes(8),
        },
      ],
      accountData: [
        { at: 1, userId, roomNid: 0, type: "m.x", keyId: 0, sealed },
      ],
    };
    const before = await countRows();
    const neighbour = commit({ positions: 1 });
    expect(await commit(write)).to.include({ over: "key" });
    committed(await neighbour);
    expect(await countRows()).to.deep.equal(before);
    const [token] = await database.sql`
      select completed from registration_tokens where token = 'unlimited'`;
    expect(token).to.deep.equal({ completed: 0 });

    // The same write with a living key shows that the rows would have been there.
    const keyId = await makeKey();
    const content = { firstKey: keyId, secondKey: 0, sealed };
    const events = [eventRow({ roomNid, content })];
    committed(await commit({ ...write, events }));
    const after = await countRows();
    for (const table of [
      ...["accessTokens", "accountData", "auditLog", "currentState", "devices"],
      ...[
        "eventContents",
        "events",
        "idempotency",
        "memberships",
        "ownPositions",
      ],
      ...["refreshTokens", "roomAliases", "rooms", "stateChanges"],
      ...["stateSnapshots", "users"],
    ]) {
      const name = table.replace(
        /[A-Z]/g,
        (letter) => `_${letter.toLowerCase()}`,
      );
      expect(after[name]! - before[name]!, name).to.equal(1);
    }
  });
});
