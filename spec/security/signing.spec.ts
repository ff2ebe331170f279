import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Answer, Json, TestUser } from "../support/server.ts";
import { makeRoom, must, path } from "../support/rooms.ts";
import { useServer } from "../support/server.ts";

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".ts"))
  .sort();
const textOf = (file: string) => readFileSync(join("src", file), "utf8");

/** Files that hold the word in their code, whatever they import it as. */
const usersOf = (word: RegExp): string[] =>
  sources.filter((file) => word.test(textOf(file)));

describe("who signs", () => {
  it("C4: sees the sources", () => {
    expect(sources.length).to.be.above(200);
  });

  it("C4: only what builds an event from its own template has it signed", () => {
    expect(usersOf(/\bfinishEvent\b/)).to.deep.equal([
      "core/event.ts",
      "core/finish-event.ts",
      "domain/rooms/append-event.ts",
      "domain/rooms/new-room-id.ts",
    ]);
    // A comment names it; nothing there calls it.
    expect(textOf("core/event.ts")).to.not.match(/\bfinishEvent\(/);
  });

  it("C4: only the finished event and the signing module touch signatures of ours", () => {
    expect(usersOf(/\bsignText\b/)).to.deep.equal([
      "core/finish-event.ts",
      "core/signing.ts",
    ]);
    // The server's own keys, told to whoever asks, hold nothing that anybody said.
    expect(usersOf(/\bsignJson\b/)).to.deep.equal([
      "core/signing.ts",
      "domain/federation/server-keys.ts",
    ]);
    const signers = usersOf(
      /import \{[^}]*\b(?:sign|createSign)\b[^}]*\} from "node:crypto"/,
    );
    // The audit log's ends, its changes of key, certificates and exports are signed by a key of their own.
    expect(signers).to.deep.equal([
      "core/audit-chain.ts",
      "core/audit-statements.ts",
      "core/destruction-certificate.ts",
      "core/privacy-export.ts",
      "core/signing.ts",
    ]);
  });

  it("C4: only those two are handed the server's key", () => {
    const takers = usersOf(/\{[^{}]*\bserverKey\b[^{}]*\}: |\.serverKey\b/);
    expect(takers).to.deep.equal([
      "domain/rooms/append-event.ts",
      "domain/rooms/new-room-id.ts",
    ]);
  });
});

/** All that a PDU has; none of it is the client's to say. */
const forged = (victim: string): Json => ({
  type: "m.room.power_levels",
  sender: victim,
  state_key: "",
  room_id: "!other:test",
  event_id: "$forged",
  origin: "elsewhere",
  origin_server_ts: 1,
  depth: 9_007_199_254_740_991,
  prev_events: ["$forged"],
  auth_events: ["$forged"],
  hashes: { sha256: "forged" },
  signatures: { test: { "ed25519:1": "forged" } },
  redacts: "$forged",
  unsigned: { age: 1 },
  content: { users: { [victim]: 100 } },
  event: { type: "m.room.create" },
  membership: "ban",
  join_authorised_via_users_server: victim,
});

describe("what is signed", () => {
  const server = useServer();
  let alice: TestUser;
  let victim: TestUser;

  before(async () => {
    alice = await server.user("alice");
    victim = await server.user("victim");
  });

  interface Stored extends Json {
    type: string;
    sender: string;
    room_id: string;
    state_key?: string;
    depth: number;
    origin_server_ts: number;
    prev_events: string[];
  }

  /** The PDUs of a room as they stand in the database, the newest last. */
  async function skeletons(roomId: string): Promise<Stored[]> {
    const rows = await server.database.sql<{ skeleton: string }[]>`
      select skeleton from events join rooms using (room_nid)
      where room_id = ${roomId} order by position`;
    return rows.map(({ skeleton }) => JSON.parse(skeleton) as Stored);
  }

  const isOwn = (event: Stored, roomId: string, by: TestUser) => {
    expect(event.sender).to.equal(by.userId);
    expect(event.room_id).to.equal(roomId);
    expect(event.depth).to.be.below(1_000);
    expect(event.origin_server_ts).to.be.above(1_000_000_000_000);
    expect(JSON.stringify(event)).to.not.include("forged");
    expect(JSON.stringify(event)).to.not.include("elsewhere");
  };

  for (const version of ["1", "6", "10", "11", "12"]) {
    it(`C4 C3 CVE-2025-68667 CVE-2026-24471: makes the event of the path, whatever a body holds, in room version ${version}`, async () => {
      const roomId = await makeRoom(alice, {
        room_version: version,
        preset: "public_chat",
      });
      const guest = await server.user(`guest-${version}`);
      const body = forged(victim.userId);
      const room = path`/rooms/${roomId}`;
      const ask = async (
        by: TestUser,
        type: string,
        key: string | undefined,
        answer: Promise<Answer>,
      ) => {
        must(await answer);
        const last = (await skeletons(roomId)).at(-1)!;
        isOwn(last, roomId, by);
        expect([last.type, last.state_key]).to.deep.equal([type, key]);
        return last;
      };
      const member = "m.room.member";
      await ask(guest, member, guest.userId, guest.post(`${room}/join`, body));
      await ask(
        alice,
        member,
        "@new:test",
        alice.post(`${room}/invite`, { ...body, user_id: "@new:test" }),
      );
      await ask(
        alice,
        "m.odd",
        undefined,
        alice.put(`${room}/send/m.odd/1`, without(body, "redacts")),
      );
      await ask(
        alice,
        "m.odd",
        "key",
        alice.put(`${room}/state/m.odd/key`, body),
      );
      const kicked = { ...body, user_id: guest.userId };
      const left = await ask(
        alice,
        member,
        guest.userId,
        alice.post(`${room}/kick`, kicked),
      );
      expect(left["content"]).to.deep.equal({ membership: "leave" });
      const levels = await alice.get(`${room}/state/m.room.power_levels/`);
      expect(JSON.stringify(levels.body)).to.not.include(victim.userId);
    });
  }

  it("C4: takes no creator, room id or version of the room from its creation content", async () => {
    for (const version of ["1", "10", "11", "12"]) {
      const roomId = await makeRoom(alice, {
        room_version: version,
        creation_content: {
          ...forged(victim.userId),
          creator: victim.userId,
          room_version: "5",
        },
      });
      const [create] = await skeletons(roomId);
      expect(create!.sender).to.equal(alice.userId);
      const target = path`/rooms/${roomId}/state/m.room.create/`;
      const content = must(await alice.get(target));
      expect(content["room_version"]).to.equal(version);
      expect(content["creator"]).to.be.oneOf([undefined, alice.userId]);
      expect(create!["signatures"]).to.have.all.keys("test");
      expect(create!.prev_events).to.deep.equal([]);
      const room = path`/rooms/${roomId}`;
      expect((await victim.get(`${room}/state`)).status).to.equal(403);
    }
  });

  it("C3 1.2.1 #5744: nobody's membership changes by another's word, but for what has power", async () => {
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    const mallory = await server.user("mallory");
    const room = path`/rooms/${roomId}`;
    must(await mallory.post(`${room}/join`));
    must(await victim.post(`${room}/join`));
    for (const membership of ["join", "leave", "invite", "ban", "knock"]) {
      for (const target of [alice.userId, victim.userId, "@absent:test"]) {
        if (membership === "invite" && target === "@absent:test") continue;
        const place = `${room}${path`/state/m.room.member/${target}`}`;
        const answer = await mallory.put(place, { membership });
        expect(answer.status, `${membership} ${target}`).to.equal(403);
      }
    }
    const { body } = await alice.get(`${room}/joined_members`);
    expect(body["joined"]).to.have.keys([
      alice.userId,
      mallory.userId,
      victim.userId,
    ]);
  });
});

const without = (body: Json, name: string): Json =>
  Object.fromEntries(Object.entries(body).filter(([key]) => key !== name));
