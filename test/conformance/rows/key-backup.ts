import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { text, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import { row } from "../harness/registry.ts";
import type { User } from "../harness/user.ts";

const INFO = {
  algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
  auth_data: { public_key: "abcdefg" },
};
const ROOM = "!room:example.org";

const makeVersion = async (user: User, info: JsonObject = INFO) =>
  text(await user.mustPost("/room_keys/version", info), "version");

interface Key {
  isVerified: boolean;
  firstMessageIndex: number;
  forwardedCount: number;
}

const dataOf = (key: Key, a: string): JsonObject => ({
  first_message_index: key.firstMessageIndex,
  forwarded_count: key.forwardedCount,
  is_verified: key.isVerified,
  session_data: { a },
});

const KEY: Key = { isVerified: true, firstMessageIndex: 10, forwardedCount: 5 };

const targetOf = (version: string, session = "session", roomId = ROOM) =>
  `${path`/room_keys/keys/${roomId}/${session}`}?${new URLSearchParams({ version })}`;

const allOf = (version: string): string =>
  `/room_keys/keys?${new URLSearchParams({ version })}`;

const put = (user: User, version: string, key: Key, a: string, name?: string) =>
  user.mustPut(targetOf(version, name), dataOf(key, a));

/** A key that is there, and others: whether they take its place. */
interface Rules {
  first: Key;
  others: [Key, boolean][];
}

const UNVERIFIED: Key = { ...KEY, isVerified: false };

const CASES: Record<string, Rules> = {
  "{isVerified:false firstMessageIndex:10 forwardedCount:5}": {
    first: UNVERIFIED,
    others: [
      [KEY, true],
      [{ ...KEY, firstMessageIndex: 11, forwardedCount: 6 }, true],
      [{ ...UNVERIFIED, firstMessageIndex: 9, forwardedCount: 6 }, true],
      [{ ...UNVERIFIED, forwardedCount: 4 }, true],
      [{ ...UNVERIFIED, firstMessageIndex: 11 }, false],
      [{ ...UNVERIFIED, forwardedCount: 6 }, false],
      [UNVERIFIED, false],
    ],
  },
  "{isVerified:true firstMessageIndex:10 forwardedCount:5}": {
    first: KEY,
    others: [
      [{ ...KEY, firstMessageIndex: 9, forwardedCount: 6 }, true],
      [{ ...KEY, forwardedCount: 4 }, true],
      [{ ...KEY, firstMessageIndex: 11 }, false],
      [{ ...KEY, forwardedCount: 6 }, false],
      [KEY, false],
      [UNVERIFIED, false],
      [{ ...UNVERIFIED, firstMessageIndex: 11 }, false],
    ],
  },
};

/** Puts the first key for as many sessions as there are others, then each of those. */
async function expectRules(user: User, { first, others }: Rules) {
  const version = await makeVersion(user);
  const all = (list: JsonObject[]) => ({
    rooms: {
      [ROOM]: {
        sessions: Object.fromEntries(
          list.map((key, i) => [`session${i}`, key]),
        ),
      },
    },
  });
  const firsts = others.map(() => dataOf(first, "first"));
  await user.mustPut(allOf(version), all(firsts));
  const nexts = others.map(([next]) => dataOf(next, "next"));
  await user.mustPut(allOf(version), all(nexts));
  const kept = others.map(([, isReplaced], i) =>
    isReplaced ? nexts[i]! : firsts[i]!,
  );
  expect(await user.mustGet(allOf(version))).to.deep.equal(all(kept));
}

for (const [name, rules] of Object.entries(CASES))
  row(
    "csapi",
    "TestE2EKeyBackupReplaceRoomKeyRules",
    `parallel/${name}`,
    async (server) => expectRules(await server.user("backup"), rules),
  );

const backup = ownRows("key backup");

backup("a version is made, changed and found", async ({ alice }) => {
  expectError(await alice.get("/room_keys/version"), 404, "M_NOT_FOUND");
  const version = await makeVersion(alice);
  const target = path`/room_keys/version/${version}`;
  const auth_data = { public_key: "changed" };
  await alice.mustPut(target, { ...INFO, auth_data, version });
  for (const found of [
    await alice.mustGet("/room_keys/version"),
    await alice.mustGet(target),
  ])
    expect(found).to.deep.include({ ...INFO, auth_data, version, count: 0 });
});

backup("an empty backup has no keys", async ({ alice }) => {
  const version = await makeVersion(alice);
  expect(await alice.mustGet(allOf(version))).to.deep.equal({ rooms: {} });
  const ofRoom = await alice.mustGet(path`/room_keys/keys/${ROOM}`, {
    version,
  });
  expect(ofRoom).to.deep.equal({ sessions: {} });
  expectError(await alice.get(targetOf(version)), 404, "M_NOT_FOUND");
});

backup(
  "keys are counted, and the etag changes with them",
  async ({ alice }) => {
    const version = await makeVersion(alice);
    const before = await alice.mustGet("/room_keys/version");
    const sessions = { a: dataOf(KEY, "a"), b: dataOf(KEY, "b") };
    const rooms = { [ROOM]: { sessions } };
    const stored = await alice.mustPut(allOf(version), { rooms });
    expect(stored["count"]).to.equal(2);
    expect(stored["etag"]).to.not.equal(before["etag"]);
    const again = await alice.mustPut(allOf(version), { rooms });
    expect(again).to.deep.equal(stored);
    expect(await alice.mustGet(allOf(version))).to.deep.equal({ rooms });
    const left = await alice.mustDelete(targetOf(version, "a"));
    expect(left["count"]).to.equal(1);
    expect(left["etag"]).to.not.equal(stored["etag"]);
    const found = await alice.mustGet("/room_keys/version");
    expect(found).to.deep.include(left);
  },
);

backup("keys for an old version are refused", async ({ alice }) => {
  const old = await makeVersion(alice);
  const current = await makeVersion(alice);
  expect(current).to.not.equal(old);
  const answer = await alice.put(targetOf(old), dataOf(KEY, "a"));
  expectError(answer, 403, "M_WRONG_ROOM_KEYS_VERSION");
});

backup("a deleted version is gone with its keys", async ({ alice }) => {
  const version = await makeVersion(alice);
  await put(alice, version, KEY, "a");
  await alice.mustDelete(path`/room_keys/version/${version}`);
  expectError(await alice.get("/room_keys/version"), 404, "M_NOT_FOUND");
  const next = await makeVersion(alice);
  expect(next).to.not.equal(version);
  expect(await alice.mustGet(allOf(next))).to.deep.equal({ rooms: {} });
});

backup("the newest of more than ten is found", async ({ alice }) => {
  let last = "";
  for (let i = 0; i < 12; i += 1) last = await makeVersion(alice);
  const found = await alice.mustGet("/room_keys/version");
  expect(found["version"]).to.equal(last);
});

backup("another user's backup cannot be seen", async ({ alice, bob }) => {
  const version = await makeVersion(alice);
  await put(alice, version, KEY, "a");
  expectError(await bob.get(targetOf(version)), 404, "M_NOT_FOUND");
  expectError(await bob.get("/room_keys/version"), 404, "M_NOT_FOUND");
});

backup(
  "what is worse by one rule is not made up for by a later one",
  async ({ alice }) =>
    expectRules(alice, {
      first: KEY,
      others: [
        [{ ...UNVERIFIED, firstMessageIndex: 9, forwardedCount: 0 }, false],
        [{ ...KEY, firstMessageIndex: 11, forwardedCount: 0 }, false],
      ],
    }),
);
