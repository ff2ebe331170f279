import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { Ajv } from "ajv";
import { expect } from "chai";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { tellReads } from "../../../src/domain/jobs/tell-reads.ts";
import { PERSONAL_TABLES } from "../../../src/domain/privacy/personal-tables.ts";
import type { Log } from "../../../src/edges.ts";
import { administrator } from "../../support/administrators.ts";
import { quiet } from "../../support/database.ts";
import { upload } from "../../support/media.ts";
import { canaryOf, seedPersonal } from "../../support/personal.ts";
import {
  act,
  getMessages,
  makePublicRoom,
  must,
  path,
  say,
  setState,
} from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";

const OWN = "/_myelin/client/v1/privacy";
const N = "/_myelin/admin/v1";

describe("the export of all data of a person", () => {
  const faults: string[] = [];
  const log: Log = {
    ...quiet,
    error: (details, message) => {
      faults.push(`${message} ${inspect(details)}`);
    },
  };
  const server = useServer({}, log);
  let officer: TestUser;
  let alice: TestUser;
  let bob: TestUser;
  let text: string;
  let lines: Json[];

  before(async () => {
    officer = await administrator(server, "officer", "privacy-officer");
    alice = await server.user("alice");
    bob = await server.user("bob");
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await setState(alice, roomId, "m.room.topic", { topic: "alice's topic" });
    for (let i = 0; i < 120; i += 1) await say(alice, roomId, `alice's ${i}`);
    await say(bob, roomId, "a secret of bob's");
    await upload(alice, "bytes of alice's", "text/plain", "alice's file");
    await upload(bob, "bytes of bob's", "text/plain", "bob's file");
    const [room] = await server.database.sql<{ roomNid: number }[]>`
      select room_nid from rooms where room_id = ${roomId}`;
    await seedPersonal(server, alice.userId, room!.roomNid, "A");
    await seedPersonal(server, bob.userId, room!.roomNid, "B");
    const answer = await alice.get(`${OWN}/export`);
    expect(answer.status, answer.text).to.equal(200);
    ({ text } = answer);
    lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Json);
  });

  it("G10: has something of every table that holds personal data, opened", () => {
    for (const { table, opens } of PERSONAL_TABLES) {
      const rows = lines.filter((line) => line["table"] === table);
      expect(rows, table).to.not.have.length(0);
      if (opens)
        expect(JSON.stringify(rows), table).to.include(
          canaryOf(alice.userId, table),
        );
    }
  });

  afterEach("nothing was the server's fault", () => {
    expect(faults.splice(0)).to.deep.equal([]);
  });

  it("G10: opens what the server itself has sealed, in every table", async () => {
    const carol = await server.user("carol");
    const root = await administrator(server, "root2", "system-admin");
    const own = path`/user/${carol.userId}`;
    const roomId = await makePublicRoom(carol);
    const version = must<{ version: string }>(
      await carol.post("/room_keys/version", {
        algorithm: "m.megolm_backup.v1.curve25519-aes-sha2",
        auth_data: { public_key: "real key_backups" },
      }),
    ).version;
    const answers = [
      await carol.put(path`/profile/${carol.userId}/displayname`, {
        displayname: "real profile_fields",
      }),
      await carol.put(`${own}/account_data/m.x`, { is: "real account_data" }),
      await carol.put(path`/presence/${carol.userId}/status`, {
        ...{ presence: "online", status_msg: "real presence" },
      }),
      await carol.post("/pushers/set", {
        ...{ app_id: "app", pushkey: "real pushers", kind: "http", lang: "en" },
        ...{ app_display_name: "a", device_display_name: "d" },
        data: { url: "https://push.example.org/_matrix/push/v1/notify" },
      }),
      await carol.post(`${own}/filter`, { event_fields: ["real.filters"] }),
      await carol.put(
        `${path`/rooms/${roomId}/send/m.room.message/later`}?org.matrix.msc4140.delay=3600000`,
        { body: "real delayed_events" },
      ),
      await carol.post(path`/users/${bob.userId}/report`, {
        reason: "real reports",
      }),
      await carol.post(`${OWN}/requests`, {
        ...{ kind: "access", message: "real privacy_requests" },
      }),
      await carol.put(path`/devices/${carol.deviceId}`, {
        display_name: "real devices",
      }),
      await carol.put(
        `${path`/room_keys/keys/${roomId}/session`}?version=${version}`,
        {
          ...{ first_message_index: 0, forwarded_count: 0, is_verified: false },
          session_data: { ciphertext: "real backed_up_keys" },
        },
      ),
    ];
    for (const answer of answers)
      expect(answer.status, answer.text).to.equal(200);
    const put = await root.put(`/_synapse/admin/v2/users/${carol.userId}`, {
      threepids: [{ medium: "email", address: "real.third@example.org" }],
      external_ids: [{ auth_provider: "idp", external_id: "real external" }],
    });
    expect(put.status, put.text).to.equal(200);
    const { text: all } = await carol.get(`${OWN}/export`);
    for (const said of [
      ...["real.third@example.org", "real external", "real.filters"],
      ...["profile_fields", "account_data", "presence", "pushers"].map(real),
      ...["delayed_events", "reports", "privacy_requests"].map(real),
      ...["devices", "backed_up_keys", "key_backups"].map(real),
    ])
      expect(all).to.include(said);
  });

  it("G10: has what was said and what was uploaded", () => {
    const events = lines.filter(({ kind }) => kind === "event");
    const said = JSON.stringify(events);
    for (const i of [0, 59, 60, 119]) expect(said).to.include(`"alice's ${i}"`);
    expect(said).to.include("alice's topic");
    const bytes = lines.filter(({ kind }) => kind === "media_bytes");
    const whole = Buffer.concat(
      bytes.map(({ base64 }) => Buffer.from(String(base64), "base64")),
    );
    expect(whole.toString()).to.equal("bytes of alice's");
    expect(lines.find(({ kind }) => kind === "media")).to.include({
      name: "alice's file",
    });
    const records = lines.filter(({ kind }) => kind === "audit");
    expect(records).to.not.have.length(0);
  });

  it("G10: holds against its published schema, each line, and tells that it is whole", () => {
    const schema = JSON.parse(
      readFileSync("schema/privacy-export.json", "utf8"),
    ) as object;
    const validate = new Ajv({ strict: false }).compile(schema);
    for (const line of lines)
      expect(validate(line), JSON.stringify(validate.errors)).to.equal(true);
    expect(lines[0]).to.include({ kind: "header", user_id: alice.userId });
    expect(lines.at(-1)).to.include({ kind: "end", lines: lines.length });
  });

  it("G10: has nothing of a second person", () => {
    expect(text).to.not.include(`a canary of ${bob.userId}`);
    for (const secret of [
      ...["a secret of bob's", "bob's file", "DEVICEB"],
      Buffer.from("bytes of bob's").toString("base64"),
    ])
      expect(text).to.not.include(secret);
  });

  it("gives out no secret", () => {
    const rows = lines.filter(({ kind }) => kind === "row");
    for (const { data } of rows)
      for (const name of [
        "sealed",
        "status_sealed",
        "password_hash",
        "token_hash",
      ])
        expect(data).to.not.have.property(name);
  });

  it("G10: is to be had by the person and by a privacy officer, and by nobody else", async () => {
    const target = `${N}/users/${alice.userId}/export`;
    const answer = await officer.get(target, {
      headers: {
        "x-myelin-case": "case 7",
        "x-myelin-reason": `asked by ${bob.userId}`,
      },
    });
    expect(answer.status).to.equal(200);
    expect(answer.text).to.include("alice's 119");
    expect((await bob.get(target)).status).to.equal(403);
    const root = await administrator(server, "root", "system-admin");
    expect((await root.get(target)).status).to.equal(403);
    expect((await server.get(`${OWN}/export`)).status).to.equal(401);
  });

  it("G8: is told in the person's own log of who read, as which role and for which case, and in nobody's words", async () => {
    const { accesses } = must<{ accesses: Json[] }>(
      await alice.get(`${OWN}/accesses`),
    );
    expect(accesses).to.have.length(1);
    expect(accesses[0]).to.deep.include({
      ...{ action: "privacy.export", case_id: "case 7" },
      roles: ["privacy-officer"],
    });
    expect(accesses[0]).to.not.have.property("reason");
    for (const hidden of [officer.userId, bob.userId])
      expect(JSON.stringify(accesses)).to.not.include(hidden);
    const others = must<{ accesses: Json[] }>(await bob.get(`${OWN}/accesses`));
    expect(others.accesses).to.deep.equal([]);
  });

  it("G8: tells too of a room that was read, to those who are in it", async () => {
    const compliance = await administrator(
      ...([server, "compliance", "compliance-officer"] as const),
    );
    const roomId = await makePublicRoom(bob);
    must(
      await compliance.get(
        `/_synapse/admin/v1/rooms/${roomId}/messages?dir=b&case_id=case-8`,
      ),
    );
    const [first] = must<{ accesses: Json[] }>(
      await bob.get(`${OWN}/accesses`),
    ).accesses;
    expect(first).to.include({
      ...{ action: "rooms.content.read", room_id: roomId, case_id: "case-8" },
    });
    const { accesses } = must<{ accesses: Json[] }>(
      await alice.get(`${OWN}/accesses`),
    );
    expect(accesses).to.have.length(1);
  });
});

const real = (table: string): string => `real ${table}`;

describe("exports that come too often", () => {
  const server = useServer({ "rate_limits.enabled": true });

  it("are refused", async () => {
    const alice = await server.user("alice");
    const statuses: number[] = [];
    for (let i = 0; i < 6; i += 1)
      statuses.push((await alice.get(`${OWN}/export`)).status);
    expect(statuses).to.deep.equal([200, 200, 200, 200, 200, 429]);
  });
});

describe("notices of what administrators read", () => {
  const server = useServer({ "privacy.notify_reads": "at_once" });
  const run = async () => {
    await server.database
      .sql`update leases set expires_ts = '-infinity' where name = 'tell of reads'`;
    await runJob(server.edges, tellReads);
  };
  const noticesOf = async (user: TestUser): Promise<Json[]> => {
    const { rooms = {} } = must<{ rooms?: { invite?: Json } }>(
      await user.get("/sync"),
    );
    for (const roomId of Object.keys(rooms.invite ?? {}))
      await act(user, roomId, "join");
    const rows = await server.database.sql<{ roomId: string }[]>`
      select r.room_id from notice_rooms n join rooms r on r.room_nid = n.room_nid where n.user_id = ${user.userId}`;
    const [room] = rows;
    if (!room) return [];
    const { chunk } = await getMessages(user, room.roomId, { dir: "b" });
    return chunk
      .filter(({ type }) => type === "m.room.message")
      .map(({ content }) => content);
  };

  it("G8: come once to whose data they were, and to those who are in a room", async () => {
    const compliance = await administrator(
      ...([server, "compliance", "compliance-officer"] as const),
    );
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const carol = await server.user("carol");
    const roomId = await makePublicRoom(bob);
    await act(carol, roomId, "join");
    await run();
    must(
      await compliance.get(
        `/_synapse/admin/v1/users/${alice.userId}/accountdata`,
        { headers: { "x-myelin-case": "case 1" } },
      ),
    );
    must(
      await compliance.get(
        `/_synapse/admin/v1/rooms/${roomId}/messages?dir=b&case_id=case-2`,
      ),
    );
    await run();
    await server.database.sql`update told_reads set seq = 0`;
    await run();
    const [own, ...more] = await noticesOf(alice);
    expect(more).to.deep.equal([]);
    expect(own!["body"]).to.match(/compliance-officer.*case 1/);
    expect(own!["body"]).to.not.include(compliance.userId);
    for (const user of [bob, carol]) {
      const [first, ...others] = await noticesOf(user);
      expect(others).to.deep.equal([]);
      expect(first!["org.myelin.access"]).to.include({ room_id: roomId });
    }
  });
});
