import { expect } from "chai";
import fc from "fast-check";
import { openSession } from "../../../src/domain/accounts/open-session.ts";
import { newCrossSigning, newDevice } from "../../support/device-identity.ts";
import { act, makeRoom, must, path } from "../../support/rooms.ts";
import {
  type TestClient,
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";
import { SyncReader } from "../../support/sync-reader.ts";
import { DeviceListOracle } from "./device-list-oracle.ts";

const USERS = 4;
const ROOMS = 3;

/** What may happen; who, and where or to whom. */
const step = fc.record({
  what: fc.constantFrom(
    "join",
    "join",
    "leave",
    "kick",
    "name",
    "upload",
    "device",
    "rename",
    "sync",
    "sync",
    "sync",
  ),
  who: fc.nat({ max: USERS - 1 }),
  room: fc.nat({ max: ROOMS - 1 }),
  elsewhere: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

describe("device lists", () => {
  const server = useServer();
  let other: TestProcess;
  let stories = 0;

  before(async () => {
    other = await server.startProcess();
  });

  const sorted = (list: readonly string[] = []) => [...list].sort();

  /** Some users, and rooms that anyone may join, in which nobody is. */
  async function setStory() {
    const prefix = `s${(stories += 1)}`;
    const users = await Promise.all(
      Array.from({ length: USERS }, (_, i) => server.user(`${prefix}u${i}`)),
    );
    const owner = await server.user(`${prefix}owner`);
    const rooms = await Promise.all(
      Array.from({ length: ROOMS }, () =>
        makeRoom(owner, { preset: "public_chat" }),
      ),
    );
    return { users, owner, rooms };
  }

  const uploadKeys = async (user: TestUser, client: TestClient) =>
    must(
      await client.post("/keys/upload", {
        device_keys: newDevice(user).deviceKeys,
      }),
    );

  it("are exact in syncs and between any two tokens, whatever happens", async function () {
    this.timeout(120_000);
    let told = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 40 }),
        async (steps) => {
          told += await play(steps);
        },
      ),
      { numRuns: 8 },
    );
    expect(told, "entries told").to.be.above(20);
  });

  /** Plays a story and holds all that is told against the oracle; answers how much was told. */
  async function play(steps: readonly Step[]): Promise<number> {
    const { users, owner, rooms } = await setStory();
    const all = [...users, owner];
    const oracle = new DeviceListOracle();
    for (const roomId of rooms) oracle.join(owner.userId, roomId);
    const readers = users.map((user) => new SyncReader(user));
    const tokens: { user: TestUser; since: string; time: number }[] = [];
    let told = 0;
    const note = (user: TestUser, since: string) => {
      tokens.push({ user, since, time: oracle.time });
      return oracle.time;
    };
    const times: number[] = [];
    for (const [i, reader] of readers.entries()) {
      const { next_batch } = await reader.next();
      times[i] = note(users[i]!, next_batch);
    }
    for (const { what, who, room, elsewhere } of steps) {
      const user = users[who]!;
      const roomId = rooms[room]!;
      const client = elsewhere ? other.as(user) : user;
      const isIn = oracle.isIn(user.userId, roomId);
      switch (what) {
        case "join":
          await act(client, roomId, "join");
          oracle.join(user.userId, roomId);
          break;
        case "leave":
          if (!isIn) break;
          await act(client, roomId, "leave");
          oracle.leave(user.userId, roomId);
          break;
        case "kick":
          if (!isIn) break;
          await act(owner, roomId, "kick", { user_id: user.userId });
          oracle.leave(user.userId, roomId);
          break;
        case "name":
          must(
            await client.put(path`/profile/${user.userId}/displayname`, {
              displayname: `name ${oracle.time}`,
            }),
          );
          break;
        case "upload":
          await uploadKeys(user, client);
          oracle.changeKeys(user.userId);
          break;
        case "device": {
          const { edges } = elsewhere ? other : server;
          await openSession(edges, user.userId, { canRefresh: false });
          oracle.changeKeys(user.userId);
          break;
        }
        case "rename":
          must(
            await client.put(path`/devices/${user.deviceId}`, {
              display_name: `device ${oracle.time}`,
            }),
          );
          oracle.changeKeys(user.userId);
          break;
        case "sync": {
          const reader = readers[who]!;
          reader.client = client;
          const { device_lists: lists, next_batch } = await reader.next();
          const expected = oracle.between(
            user.userId,
            all,
            times[who]!,
            oracle.time,
          );
          expect({
            changed: sorted(lists?.changed),
            left: sorted(lists?.left),
          }).to.deep.equal(expected);
          told += expected.changed.length + expected.left.length;
          times[who] = note(user, next_batch);
        }
      }
    }
    for (const first of tokens)
      for (const last of tokens) {
        const asker = users[(tokens.indexOf(first) + tokens.length) % USERS]!;
        const from = encodeURIComponent(first.since);
        const to = encodeURIComponent(last.since);
        const answer = must<{ changed: string[]; left: string[] }>(
          await asker.get(`/keys/changes?from=${from}&to=${to}`),
        );
        expect({
          changed: sorted(answer.changed),
          left: sorted(answer.left),
        }).to.deep.equal(
          oracle.between(asker.userId, all, first.time, last.time),
        );
      }
    return told;
  }

  /** A client that asks for the keys of whom it is told of, and forgets whom it is told to. */
  class Follower {
    readonly known = new Map<string, string>();
    readonly #reader: SyncReader;
    readonly #user: TestUser;

    constructor(user: TestUser) {
      this.#user = user;
      this.#reader = new SyncReader(user);
    }

    async query(userId: string): Promise<string> {
      const { device_keys } = must<{ device_keys: Record<string, object> }>(
        await this.#user.post("/keys/query", { device_keys: { [userId]: [] } }),
      );
      return JSON.stringify(device_keys[userId]);
    }

    /** Syncs until nothing is told any more. */
    async catchUp(): Promise<void> {
      for (;;) {
        const { device_lists: lists } = await this.#reader.next();
        for (const userId of lists?.left ?? []) this.known.delete(userId);
        for (const userId of lists?.changed ?? [])
          this.known.set(userId, await this.query(userId));
        if (!lists) return;
      }
    }
  }

  it("leave nobody with old keys, whoever comes, goes and changes at the same time", async function () {
    this.timeout(120_000);
    for (let round = 0; round < 2; round += 1) {
      const { users, rooms } = await setStory();
      const followers = users.map((user) => new Follower(user));
      for (const follower of followers) await follower.catchUp();
      let isOver = false;
      const following = followers.map(async (follower) => {
        while (!isOver) await follower.catchUp();
      });
      const acting = users.map(async (user, i) => {
        const twin = other.as(user);
        for (let n = 0; n < 12; n += 1) {
          const client = n % 2 ? user : twin;
          const roomId = rooms[(n * 7 + i * 3 + round) % ROOMS]!;
          const kind = (n * 5 + i + round) % 4;
          if (kind < 2) await act(client, roomId, "join");
          else if (kind === 2) await client.post(path`/rooms/${roomId}/leave`);
          else await uploadKeys(user, client);
        }
        await act(user, rooms[0]!, "join");
      });
      await Promise.all(acting);
      isOver = true;
      await Promise.all(following);
      for (const [i, follower] of followers.entries()) {
        await follower.catchUp();
        for (const [j, user] of users.entries()) {
          if (i === j) continue;
          const { userId } = user;
          expect(follower.known.get(userId), `${i} of ${j}`).to.equal(
            await follower.query(userId),
          );
        }
      }
    }
  });

  it("tell those who wait of a new device with keys, and of cross-signing keys", async () => {
    const { users, rooms } = await setStory();
    const [alice, bob] = users as [TestUser, TestUser];
    for (const user of [alice, bob]) await act(user, rooms[0]!, "join");
    const reader = new SyncReader(other.as(bob));
    await reader.next();
    const changes: (() => Promise<unknown>)[] = [
      () => uploadKeys(alice, alice),
      async () =>
        must(
          await alice.post(
            "/keys/device_signing/upload",
            newCrossSigning(alice.userId).body,
          ),
        ),
      () => act(alice, rooms[0]!, "leave"),
      () => act(alice, rooms[0]!, "join"),
    ];
    for (const [i, change] of changes.entries()) {
      const waiting = reader.until(({ device_lists: lists }) =>
        Boolean(
          (i === 2 ? lists?.left : lists?.changed)?.includes(alice.userId),
        ),
      );
      await change();
      await waiting;
    }
  });
});
