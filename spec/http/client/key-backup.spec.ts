import { expect } from "chai";
import fc from "fast-check";
import { purgeKeyBackups } from "../../../src/domain/jobs/purge-key-backups.ts";
import { finishDeactivations } from "../../../src/domain/jobs/finish-deactivations.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import {
  backUpKeys,
  type KeysByRoom,
} from "../../../src/domain/encryption/back-up-keys.ts";
import { countStatements } from "../../support/count-statements.ts";
import {
  ALGORITHM,
  backupInfo,
  keyData,
  makeBackup,
  type KeyData,
} from "../../support/key-backup.ts";
import { must, path } from "../../support/rooms.ts";
import {
  type Answer,
  type Json,
  type TestClient,
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";
import { withPassword } from "../../support/with-password.ts";

const ROOM = "!room:test";

describe("/room_keys", () => {
  const server = useServer();
  let other: TestProcess;

  before(async () => {
    other = await server.startProcess();
  });

  const errorOf = ({ status, body }: Answer) => [status, body["errcode"]];

  const newest = async (user: TestClient): Promise<Json> =>
    must(await user.get("/room_keys/version"));

  const keysPath = (version: string, roomId?: string, sessionId?: string) =>
    [
      "/room_keys/keys",
      ...[roomId, sessionId].flatMap((segment) =>
        segment === undefined ? [] : encodeURIComponent(segment),
      ),
    ].join("/") + `?version=${version}`;

  const put = async (
    user: TestClient,
    version: string,
    sessions: Record<string, KeyData>,
    roomId = ROOM,
  ): Promise<Json> =>
    must(await user.put(keysPath(version, roomId), { sessions }));

  describe("version", () => {
    it("counts up, and the newest is the one that is asked for", async () => {
      const alice = await server.user("versions");
      expect(errorOf(await alice.get("/room_keys/version"))).to.deep.equal([
        404,
        "M_NOT_FOUND",
      ]);
      const versions: string[] = [];
      for (let i = 0; i < 12; i += 1) versions.push(await makeBackup(alice));
      expect(versions.map(Number)).to.deep.equal(
        Array.from({ length: 12 }, (_, i) => i + 1),
      );
      const info = await newest(alice);
      expect(info).to.deep.equal({
        ...backupInfo(),
        version: "12",
        count: 0,
        etag: "0",
      });
      const first = must(await alice.get("/room_keys/version/1"));
      expect(first).to.include({ version: "1", algorithm: ALGORITHM });
    });

    it("gives the others back when the newest is deleted, and no version twice", async () => {
      const alice = await server.user("deleted");
      const [one, two] = [await makeBackup(alice), await makeBackup(alice)];
      must(await alice.delete(`/room_keys/version/${two}`));
      expect((await newest(alice))["version"]).to.equal(one);
      for (const answer of [
        await alice.get(`/room_keys/version/${two}`),
        await alice.delete(`/room_keys/version/${two}`),
        await alice.put(`/room_keys/version/${two}`, backupInfo()),
      ])
        expect(errorOf(answer)).to.deep.equal([404, "M_NOT_FOUND"]);
      must(await alice.delete(`/room_keys/version/${one}`));
      expect((await alice.get("/room_keys/version")).status).to.equal(404);
      expect(Number(await makeBackup(alice))).to.be.above(Number(two));
    });

    it("takes other auth_data, and nothing else that is other", async () => {
      const alice = await server.user("updates");
      const version = await makeBackup(alice);
      const target = `/room_keys/version/${version}`;
      const auth_data = { public_key: "other", signatures: { a: { b: "c" } } };
      must(await alice.put(target, { ...backupInfo(auth_data), version }));
      expect((await newest(alice))["auth_data"]).to.deep.equal(auth_data);
      for (const wrong of [
        { ...backupInfo(), algorithm: "m.other" },
        { ...backupInfo(), version: "7" },
      ])
        expect(errorOf(await alice.put(target, wrong))).to.deep.equal([
          400,
          "M_INVALID_PARAM",
        ]);
      for (const missing of [{ algorithm: ALGORITHM }, { auth_data }])
        expect((await alice.put(target, missing)).status).to.equal(400);
      expect((await newest(alice))["auth_data"]).to.deep.equal(auth_data);
    });

    it("is nobody else's", async () => {
      const [alice, bob] = [await server.user("own"), await server.user("not")];
      const version = await makeBackup(alice);
      await put(alice, version, { s: keyData() });
      for (const answer of [
        await bob.get(`/room_keys/version/${version}`),
        await bob.get(keysPath(version)),
        await bob.get(keysPath(version, ROOM, "s")),
        await bob.delete(keysPath(version)),
        await bob.delete(`/room_keys/version/${version}`),
        await bob.put(keysPath(version, ROOM), { sessions: {} }),
      ])
        expect(errorOf(answer)).to.deep.equal([404, "M_NOT_FOUND"]);
      expect((await newest(alice))["count"]).to.equal(1);
    });

    it("is another one for each of many who begin one at once", async () => {
      const alice = await server.user("racing");
      const twin = other.as(alice);
      const versions = await Promise.all(
        Array.from({ length: 20 }, (_, i) => makeBackup(i % 2 ? alice : twin)),
      );
      expect(new Set(versions).size).to.equal(20);
      expect((await newest(alice))["version"]).to.equal(
        String(Math.max(...versions.map(Number))),
      );
    });

    it("row 62: there are no more than a hundred of, each with 64 KiB at the most", async () => {
      const alice = await server.user("hundred");
      const large = { text: "x".repeat(64 * 1024) };
      const answer = await alice.post("/room_keys/version", backupInfo(large));
      expect(errorOf(answer)).to.deep.equal([413, "M_TOO_LARGE"]);
      await server.database.sql`
        insert into key_backups (user_id, version, algorithm, key_id, sealed)
        select ${alice.userId}, n, 'a', 0, '{}' from generate_series(1, 100) n`;
      const full = await alice.post("/room_keys/version", backupInfo());
      expect(errorOf(full)).to.deep.equal([403, "M_USER_LIMIT_EXCEEDED"]);
      must(await alice.delete("/room_keys/version/1"));
      expect(await makeBackup(alice)).to.equal("101");
    });
  });

  describe("keys", () => {
    it("come back as they were put: all, of a room, and of a session", async () => {
      const alice = await server.user("keys");
      const version = await makeBackup(alice);
      const [a, b, c] = [1, 2, 3].map((first_message_index) =>
        keyData({ first_message_index, session_data: { odd: ["😀", "\0"] } }),
      ) as [KeyData, KeyData, KeyData];
      const rooms = {
        [ROOM]: { sessions: { A: a, "/+=": b } },
        "!other:test": { sessions: { C: c } },
      };
      const stored = must(await alice.put(keysPath(version), { rooms }));
      expect(stored).to.deep.equal({ etag: "1", count: 3 });
      expect(must(await alice.get(keysPath(version)))).to.deep.equal({ rooms });
      expect(must(await alice.get(keysPath(version, ROOM)))).to.deep.equal(
        rooms[ROOM],
      );
      expect(
        must(await alice.get(keysPath(version, ROOM, "/+="))),
      ).to.deep.equal(b);
      const one = keyData();
      const target = keysPath(version, ROOM, "D");
      expect(must(await alice.put(target, one))).to.deep.equal({
        etag: "2",
        count: 4,
      });
      expect(must(await alice.get(target))).to.deep.equal(one);
      expect(await newest(alice)).to.include({ etag: "2", count: 4 });
    });

    it("are none of an empty backup, and 404 where there is no backup or no session", async () => {
      const alice = await server.user("empty");
      for (const target of [
        keysPath("1"),
        keysPath("1", ROOM),
        keysPath("1", ROOM, "s"),
      ])
        expect(errorOf(await alice.get(target))).to.deep.equal([
          404,
          "M_NOT_FOUND",
        ]);
      const version = await makeBackup(alice);
      expect(must(await alice.get(keysPath(version)))).to.deep.equal({
        rooms: {},
      });
      expect(must(await alice.get(keysPath(version, ROOM)))).to.deep.equal({
        sessions: {},
      });
      const session = await alice.get(keysPath(version, ROOM, "s"));
      expect(errorOf(session)).to.deep.equal([404, "M_NOT_FOUND"]);
      const unnamed = await alice.get("/room_keys/keys");
      expect(errorOf(unnamed)).to.deep.equal([400, "M_MISSING_PARAM"]);
      for (const odd of [
        "0",
        "x",
        "01",
        "99999999999999999999",
        "%F0%9F%98%80",
      ])
        expect((await alice.get(keysPath(odd))).status, odd).to.equal(404);
    });

    it("go into the newest backup alone, which is named where it is another", async () => {
      const alice = await server.user("newest");
      const nobodys = await alice.put(keysPath("1"), { rooms: {} });
      expect(errorOf(nobodys)).to.deep.equal([404, "M_NOT_FOUND"]);
      const first = await makeBackup(alice);
      await put(alice, first, { s: keyData() });
      const second = await makeBackup(alice);
      for (const version of [first, "77", "x"]) {
        const answer = await alice.put(keysPath(version, ROOM, "t"), keyData());
        expect(errorOf(answer)).to.deep.equal([
          403,
          "M_WRONG_ROOM_KEYS_VERSION",
        ]);
        expect(answer.body["current_version"]).to.equal(second);
      }
      const old = must(await alice.get(keysPath(first)));
      expect(Object.keys(old["rooms"] as Json)).to.deep.equal([ROOM]);
      expect(must(await alice.get(keysPath(second)))).to.deep.equal({
        rooms: {},
      });
    });

    it("are deleted one by one, by room and all, and the etag tells of it", async () => {
      const alice = await server.user("deletes");
      const version = await makeBackup(alice);
      const sessions = { a: keyData(), b: keyData(), c: keyData() };
      await put(alice, version, sessions);
      await put(alice, version, sessions, "!other:test");
      const remove = async (...place: string[]) =>
        must(await alice.delete(keysPath(version, ...place)));
      expect(await remove(ROOM, "a")).to.deep.equal({ etag: "3", count: 5 });
      expect(await remove(ROOM, "a")).to.deep.equal({ etag: "3", count: 5 });
      expect(await remove(ROOM)).to.deep.equal({ etag: "4", count: 3 });
      expect(await remove()).to.deep.equal({ etag: "5", count: 0 });
      expect(await newest(alice)).to.include({ etag: "5", count: 0 });
      const gone = await alice.delete(keysPath("9"));
      expect(errorOf(gone)).to.deep.equal([404, "M_NOT_FOUND"]);
    });

    it("of a deleted backup are not those of the next one", async () => {
      const alice = await server.user("anew");
      const first = await makeBackup(alice);
      await put(alice, first, { s: keyData() });
      must(await alice.delete(`/room_keys/version/${first}`));
      const second = await makeBackup(alice);
      expect(second).to.not.equal(first);
      expect(await newest(alice)).to.include({ count: 0, etag: "0" });
      expect((await alice.get(keysPath(first))).status).to.equal(404);
    });

    it("refuses what is no key", async () => {
      const alice = await server.user("forms");
      const version = await makeBackup(alice);
      const wrong: Json[] = [
        {},
        { ...keyData(), first_message_index: -1 },
        { ...keyData(), first_message_index: 1e300 },
        { ...keyData(), forwarded_count: "1" },
        { ...keyData(), is_verified: 1 },
        { ...keyData(), session_data: "x" },
      ];
      for (const data of wrong) {
        const answer = await alice.put(keysPath(version, ROOM, "s"), data);
        expect(answer.status, JSON.stringify(data)).to.equal(400);
      }
      for (const rooms of [
        { "no room": { sessions: { s: keyData() } } },
        { [ROOM]: { sessions: { "": keyData() } } },
        { [ROOM]: { sessions: { "a\0b": keyData() } } },
        { [ROOM]: { sessions: { ["x".repeat(256)]: keyData() } } },
        { [ROOM]: {} },
      ])
        expect((await alice.put(keysPath(version), { rooms })).status).to.equal(
          400,
        );
      expect((await newest(alice))["count"]).to.equal(0);
    });

    it("replaces by the three rules, whatever keys come in whatever order", async () => {
      const alice = await server.user("rules");
      const version = await makeBackup(alice);
      const key = fc.record({
        is_verified: fc.boolean(),
        first_message_index: fc.nat({ max: 2 }),
        forwarded_count: fc.nat({ max: 2 }),
      });
      const isBetter = (a: KeyData, b: KeyData): boolean => {
        if (a.is_verified !== b.is_verified) return a.is_verified;
        if (a.first_message_index !== b.first_message_index)
          return a.first_message_index < b.first_message_index;
        return a.forwarded_count < b.forwarded_count;
      };
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(key, { minLength: 1 }), async (list) => {
          const session = `s${(runs += 1)}`;
          const target = keysPath(version, ROOM, session);
          let best: KeyData | undefined;
          let { etag } = await newest(alice);
          for (const [i, told] of list.entries()) {
            const data = keyData({ ...told, session_data: { i } });
            const isKept = best !== undefined && !isBetter(data, best);
            if (!isKept) best = data;
            const answer = must(await alice.put(target, data));
            expect(answer["etag"] === etag).to.equal(isKept);
            etag = answer["etag"];
            expect(must(await alice.get(target))).to.deep.equal(best);
          }
        }),
        { numRuns: 30 },
      );
      expect((await newest(alice))["count"]).to.equal(runs);
    });

    it("keeps the best of what two processes put at once, and counts it once", async () => {
      const alice = await server.user("contest");
      const version = await makeBackup(alice);
      const twin = other.as(alice);
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          put(i % 2 ? alice : twin, version, {
            s: keyData({ first_message_index: (i * 7) % 60 }),
            [`own${i}`]: keyData(),
          }),
        ),
      );
      expect(new Set(answers.map(({ etag }) => etag)).size).to.equal(60);
      const best = must(await alice.get(keysPath(version, ROOM, "s")));
      expect(best["first_message_index"]).to.equal(0);
      expect((await newest(alice))["count"]).to.equal(61);
      const [sums] = await server.database.sql`
        select (select sum(octet_length(sealed)) from backed_up_keys where user_id = ${alice.userId})
          = (select key_bytes from key_backups where user_id = ${alice.userId}) as is_right`;
      expect(sums).to.deep.equal({ isRight: true });
    });

    it("never go into a backup that was deleted before they were acknowledged, as far as anybody sees", async () => {
      const alice = await server.user("dying");
      for (let round = 0; round < 10; round += 1) {
        const version = await makeBackup(alice);
        const [stored, gone] = await Promise.all([
          alice.put(keysPath(version, ROOM, "s"), keyData()),
          other.as(alice).delete(`/room_keys/version/${version}`),
        ]);
        expect(gone.status).to.equal(200);
        expect(stored.status).to.be.oneOf([200, 404]);
        expect((await alice.get(keysPath(version))).status).to.equal(404);
      }
    });

    it("come in pieces where there are many, and whole", async () => {
      const alice = await server.user("many");
      const version = await makeBackup(alice);
      const session = (i: number) => `s${String(i).padStart(4, "0")}`;
      for (const roomId of ["!a:test", "!b:test"]) {
        const sessions = Object.fromEntries(
          Array.from({ length: 620 }, (_, i) => [
            session(i),
            keyData({ first_message_index: i }),
          ]),
        );
        await put(alice, version, sessions, roomId);
      }
      const { rooms } = must<{
        rooms: Record<string, { sessions: Record<string, KeyData> }>;
      }>(await alice.get(keysPath(version)));
      for (const roomId of ["!a:test", "!b:test"]) {
        const { sessions } = rooms[roomId]!;
        expect(Object.keys(sessions)).to.have.length(620);
        expect(sessions[session(619)]).to.deep.equal(
          keyData({ first_message_index: 619 }),
        );
        expect(must(await alice.get(keysPath(version, roomId)))).to.deep.equal({
          sessions,
        });
      }
      expect(must(await alice.delete(keysPath(version)))["count"]).to.equal(0);
    });

    it("are as many statements for 500 sessions as for one", async () => {
      const alice = await server.user("statements");
      const version = await makeBackup(alice);
      const take = async (count: number) => {
        const counting = countStatements(server.edges.db);
        const edges = { ...server.edges, db: counting.sql };
        const sessions = Object.fromEntries(
          Array.from({ length: count }, (_, i) => [`n${i}`, keyData()]),
        );
        const rooms = JSON.stringify({ [ROOM]: { sessions } });
        await backUpKeys(
          edges,
          alice.userId,
          version,
          JSON.parse(rooms) as KeysByRoom,
        );
        return counting.taken();
      };
      expect(await take(500)).to.equal(await take(1));
    });

    it("row 62: have 64 KiB each, a million keys and 1 GiB in all", async () => {
      const alice = await server.user("quota");
      const version = await makeBackup(alice);
      const large = keyData({ session_data: { text: "x".repeat(64 * 1024) } });
      const tooLarge = await alice.put(keysPath(version, ROOM, "s"), large);
      expect(errorOf(tooLarge)).to.deep.equal([413, "M_TOO_LARGE"]);
      const { sql } = server.database;
      for (const [count, bytes] of [
        [999_999, 0],
        [0, 1024 ** 3 - 100],
      ] as const) {
        await sql`
          update key_backups set key_count = ${count}, key_bytes = ${bytes} where user_id = ${alice.userId}`;
        const over = await alice.put(keysPath(version, ROOM), {
          sessions: Object.fromEntries(
            ["a", "b", "c", "d"].map((id) => [id, keyData()]),
          ),
        });
        expect(errorOf(over)).to.deep.equal([403, "M_USER_LIMIT_EXCEEDED"]);
        expect(over.body["info_uri"]).to.equal("https://test/");
        const stored = await sql`
          select from backed_up_keys where user_id = ${alice.userId}`;
        expect(stored).to.have.length(0);
      }
      // Deleted backups count until their keys are gone.
      await sql`update key_backups set is_deleted = true where user_id = ${alice.userId}`;
      const second = await makeBackup(alice);
      const over = await alice.put(keysPath(second, ROOM), {
        sessions: { a: keyData(), b: keyData(), c: keyData() },
      });
      expect(errorOf(over)).to.deep.equal([403, "M_USER_LIMIT_EXCEEDED"]);
    });
  });

  describe("what is left", () => {
    const count = async ({ userId }: TestUser) => {
      const [row] = await server.database.sql<{ count: number }[]>`
        select count(*) as count from backed_up_keys where user_id = ${userId}`;
      return row!.count;
    };
    const rest = () => server.database.sql`delete from leases`;

    it("of a deleted backup is purged by a job, some at a time", async () => {
      const alice = await server.user("purged");
      const version = await makeBackup(alice);
      await server.database.sql`
        insert into backed_up_keys (user_id, version, room_id, session_id, first_message_index,
          forwarded_count, is_verified, key_id, sealed)
        select ${alice.userId}, ${version}, ${ROOM}, 's' || n, 0, 0, false, 0, '{}' from generate_series(1, 12000) n`;
      await server.database.sql`
        update key_backups set key_count = 12000, key_bytes = 24000 where user_id = ${alice.userId}`;
      const next = await makeBackup(alice);
      must(await alice.delete(`/room_keys/version/${version}`));
      expect(await count(alice)).to.equal(12_000);
      await rest();
      await runJob(server.edges, purgeKeyBackups);
      expect(await count(alice)).to.equal(0);
      const rows = () => server.database.sql`
        select version, key_count, key_bytes, is_deleted from key_backups where user_id = ${alice.userId}`;
      await rest();
      await runJob(server.edges, purgeKeyBackups);
      expect(await rows()).to.deep.equal([
        { version: Number(next), keyCount: 0, keyBytes: 0, isDeleted: false },
      ]);
      // The last version stays known.
      must(await alice.delete(`/room_keys/version/${next}`));
      await rest();
      await runJob(server.edges, purgeKeyBackups);
      expect(await makeBackup(alice)).to.equal(String(Number(next) + 1));
    });

    it("of a deactivated account is nothing, also where a crash came between", async () => {
      const alice = await server.user("ended");
      const version = await makeBackup(alice);
      await put(alice, version, { s: keyData() });
      const done = await withPassword(alice, "POST", "/account/deactivate");
      expect(done.status).to.equal(200);
      const live = () => server.database.sql`
        select from key_backups where user_id = ${alice.userId} and not is_deleted`;
      expect(await live()).to.have.length(0);
      await server.database
        .sql`update key_backups set is_deleted = false where user_id = ${alice.userId}`;
      await rest();
      await runJob(server.edges, finishDeactivations);
      await runJob(server.edges, purgeKeyBackups);
      expect(await live()).to.have.length(0);
      expect(await count(alice)).to.equal(0);
      await rest();
      await runJob(server.edges, purgeKeyBackups);
      const rows = await server.database.sql`
        select from key_backups where user_id = ${alice.userId}`;
      expect(rows).to.have.length(0);
    });

    it("of a device that is logged out is all of the backup", async () => {
      const alice = await server.user("kept");
      const version = await makeBackup(alice);
      await put(alice, version, { s: keyData() });
      must(await alice.post("/logout"));
      const login = must<{ access_token: string }>(
        await server.post("/login", {
          type: "m.login.password",
          user: "kept",
          password: alice.password,
        }),
      );
      const again = server.as({ accessToken: login.access_token });
      const target = path`/room_keys/keys/${ROOM}/s`;
      expect(
        must(await again.get(`${target}?version=${version}`)),
      ).to.deep.equal(keyData());
    });
  });
});
