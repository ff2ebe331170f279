import { get, type IncomingMessage } from "node:http";
import { expect } from "chai";
import {
  ADMIN,
  clearedOnly,
  policyMakers,
  type PolicyMakers,
} from "../../support/policies.ts";
import {
  act,
  getMessages,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
  send,
} from "../../support/rooms.ts";
import {
  type Answer,
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";
import {
  downloadPath,
  thumbnailPath,
  upload,
  uploadImage,
} from "../../support/media.ts";
import { SlidingReader, oneList } from "../../support/sliding-reader.ts";
import { SyncReader } from "../../support/sync-reader.ts";
import { newCrossSigning, newDevice } from "../../support/device-identity.ts";
import { withPassword } from "../../support/with-password.ts";
import { administrator } from "../../support/administrators.ts";

const refused = ({ status, body, text }: Answer, policyId?: string) => {
  expect(status, text).to.equal(403);
  expect(body["errcode"]).to.equal("M_FORBIDDEN");
  if (policyId) expect(body["org.myelin.policy"]).to.equal(policyId);
};

describe("policies", () => {
  const server = useServer({
    "turn.uris": ["turn:turn.example.org"],
    "turn.shared_secret": "a secret of the spec",
    "approvals.required": [],
  });
  let makers: PolicyMakers;
  let second: TestProcess;
  let owner: TestUser;
  let count = 0;

  before(async () => {
    makers = await policyMakers(server);
    second = await server.startProcess();
    owner = await server.user("owner");
    await makers.describeUser(owner.userId, { clearance: 9 });
  });

  const newUser = () => server.user(`user${(count += 1)}`);
  /** A room of the owner's with a level, and two who are in it: one cleared, one not. */
  async function makeScene(level = 2) {
    const [cleared, other] = [await newUser(), await newUser()];
    const roomId = await makePublicRoom(owner);
    await act(cleared, roomId, "join");
    await act(other, roomId, "join");
    await makers.describeUser(cleared.userId, { clearance: level });
    await makers.describeRoom(roomId, { level });
    return { roomId, cleared, other };
  }

  it("G9: decide who joins and knocks, and lift at once in another process", async () => {
    const { roomId } = await makeScene();
    await makers.enact("joins", clearedOnly("join"));
    const user = await newUser();
    const there = second.as(user);
    const join = path`/rooms/${roomId}/join`;
    refused(await user.post(join), "joins");
    refused(await there.post(join), "joins");
    refused(await there.post(path`/knock/${roomId}`), "joins");
    refused(
      await user.put(
        path`/rooms/${roomId}/state/m.room.member/${user.userId}`,
        {
          membership: "join",
        },
      ),
      "joins",
    );
    await makers.describeUser(user.userId, { clearance: 2 });
    must(await there.post(join));
    // Whoever is in stays in, and may show another name there.
    await makers.describeUser(user.userId, {});
    must(
      await user.put(path`/profile/${user.userId}/displayname`, {
        displayname: "x",
      }),
    );
    must(await user.post(path`/rooms/${roomId}/leave`));
    await makers.lift("joins");
    must(await there.post(join));
  });

  it("G9: hold in every process when they are answered for, and no longer than they are in force", async () => {
    const { roomId, other } = await makeScene();
    const there = second.as(other);
    const target = path`/rooms/${roomId}/send/m.room.message/`;
    for (let i = 0; i < 10; i += 1) {
      await makers.enact("sends", clearedOnly("send"));
      refused(await there.put(`${target}a${i}`, { body: "x" }), "sends");
      await makers.lift("sends");
      must(await there.put(`${target}b${i}`, { body: "x" }));
    }
  });

  it("G9: decide whom one invites, by both of them", async () => {
    const { roomId, cleared, other } = await makeScene();
    await makers.enact("invites", clearedOnly("invite"));
    const guest = await newUser();
    const invite = (by: TestUser) =>
      by.post(path`/rooms/${roomId}/invite`, { user_id: guest.userId });
    refused(await invite(other), "invites");
    refused(await invite(cleared), "invites");
    await makers.describeUser(guest.userId, { clearance: 2 });
    refused(await invite(other), "invites");
    must(await invite(cleared));
    await makers.lift("invites");
  });

  it("G9: decide what one sends, state and redactions too, by its type", async () => {
    const { roomId, cleared, other } = await makeScene();
    const eventId = await say(other, roomId, "before");
    await makers.enact("sending", {
      rules: [
        {
          name: "reactions are free",
          effect: "allow",
          actions: ["send"],
          when: { eq: [{ resource: "event_type" }, "m.reaction"] },
        },
        ...clearedOnly("send").rules,
      ],
    });
    await say(cleared, roomId, "allowed");
    await send(other, roomId, "m.reaction", {});
    const place = path`/rooms/${roomId}`;
    refused(await other.put(`${place}/send/m.room.message/1`, { body: "" }));
    refused(await other.put(`${place}/state/m.x/`, {}));
    refused(await other.put(`${place}/redact/${eventId}/1`, {}));
    await makers.lift("sending");
  });

  it("G9: decide who calls: by events, to devices, and for a relay", async () => {
    const { roomId, cleared, other } = await makeScene();
    await makers.enact("calls", {
      rules: [
        {
          name: "who may call",
          effect: "deny",
          actions: ["call"],
          when: { not: { gte: [{ user: "clearance" }, 2] } },
        },
      ],
    });
    const place = path`/rooms/${roomId}`;
    const call = (user: TestUser) =>
      user.put(`${place}/send/m.call.invite/${(count += 1)}`, { call_id: "1" });
    must(await call(cleared));
    refused(await call(other), "calls");
    refused(
      await other.put(
        `${place}/state/org.matrix.msc3401.call.member/${encodeURIComponent(other.userId)}`,
        { application: "m.call" },
      ),
    );
    must(await other.put(`${place}/send/m.call.hangup/1`, { call_id: "1" }));
    refused(
      await other.put("/sendToDevice/m.call.invite/1", { messages: {} }),
      "calls",
    );
    must(await cleared.get("/voip/turnServer"));
    refused(await other.get("/voip/turnServer"), "calls");
    await makers.lift("calls");
    must(await other.get("/voip/turnServer"));
  });

  it("G9: give a file of a room to nobody outside, wherever its address was told", async () => {
    const { roomId, cleared, other } = await makeScene();
    const mediaId = await uploadImage(cleared);
    const url = `mxc://test/${mediaId}`;
    await send(cleared, roomId, "m.room.message", {
      msgtype: "m.image",
      body: "i",
      url,
    });
    await makers.enact("files", clearedOnly("media_download"));
    const outsider = await newUser();
    // That somebody else shows it elsewhere opens it to nobody.
    const elsewhere = await makeRoom(outsider);
    await send(outsider, elsewhere, "m.room.message", {
      msgtype: "m.image",
      body: "i",
      url,
    });
    const small = thumbnailPath(mediaId, { width: 32, height: 32 });
    for (const user of [outsider, other]) {
      refused(await user.get(downloadPath(mediaId)), "files");
      refused(await user.get(small), "files");
    }
    must(await cleared.get(downloadPath(mediaId)));
    must(await cleared.get(small));
    await makers.lift("files");
    await makers.enact("files", clearedOnly("read"));
    refused(await outsider.get(downloadPath(mediaId)), "files");
    must(await cleared.get(downloadPath(mediaId)));
    await makers.lift("files");
  });

  it("G9: cut a file that is on its way when an attribute is lost", async () => {
    const { roomId, cleared } = await makeScene();
    const size = 48 * 1024 * 1024;
    const mediaId = await upload(cleared, Buffer.alloc(size, "x"));
    await send(cleared, roomId, "m.room.message", {
      ...{ msgtype: "m.file", body: "f", url: `mxc://test/${mediaId}` },
    });
    await makers.enact("files", clearedOnly("media_download"));
    const fetching = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { authorization: `Bearer ${cleared.accessToken}` };
      const at = { port: second.port, path: downloadPath(mediaId), headers };
      get(at, resolve).on("error", reject);
    });
    expect(fetching.statusCode).to.equal(200);
    await makers.describeUser(cleared.userId, { clearance: 1 });
    await second.edges.notifier.refresh();
    let had = 0;
    const end = await (async () => {
      for await (const piece of fetching) had += (piece as Buffer).length;
    })().catch((error: unknown) => error);
    expect(end).to.be.an("error");
    expect(had).to.be.below(size);
    await makers.lift("files");
  });

  it("G9: cut a room out of an open sync when an attribute is lost, and tell it anew when it is back", async () => {
    const { roomId, cleared } = await makeScene();
    await makers.enact("reads", clearedOnly("read"));
    const reader = new SyncReader(second.as(cleared));
    const first = await reader.next();
    expect(first.rooms.join).to.have.property(roomId);
    const waiting = reader.next({ timeout: 20_000 });
    await makers.describeUser(cleared.userId, { clearance: 1 });
    await say(owner, roomId, "the canary");
    const answer = await waiting;
    expect(JSON.stringify(answer)).not.to.include("canary");
    expect(answer.rooms.join).not.to.have.property(roomId);
    expect(answer.rooms.leave[roomId]?.timeline.events).to.deep.equal([]);
    const quiet = await reader.next();
    expect(JSON.stringify(quiet.rooms)).not.to.include(roomId);
    await makers.describeUser(cleared.userId, { clearance: 2 });
    const { rooms } = await reader.until(
      ({ rooms: { join } }) => roomId in join,
    );
    const back = rooms.join[roomId]!;
    expect(JSON.stringify(back.timeline.events)).to.include("canary");
    expect(back.timeline.limited).to.equal(true);
    const types = [...back.state!.events, ...back.timeline.events].map(
      ({ type }) => type,
    );
    expect(types).to.include.members(["m.room.create", "m.room.member"]);
    const after = await reader.next();
    expect(after.rooms.join).not.to.have.property(roomId);
    await makers.lift("reads");
  });

  it("G9: cut a room out of an open sliding sync, and begin it anew", async () => {
    const { roomId, cleared } = await makeScene();
    await makers.enact("reads", clearedOnly("read"));
    const reader = new SlidingReader(
      second.as(cleared),
      oneList({ required_state: [["*", "*"]] }),
    );
    const first = await reader.next();
    expect(first.rooms).to.have.property(roomId);
    const waiting = reader.next({}, 20_000);
    await makers.describeUser(cleared.userId, {});
    await say(owner, roomId, "the canary");
    const answer = await waiting;
    expect(JSON.stringify(answer)).not.to.include("canary");
    expect(answer.rooms[roomId]).to.include({ membership: "leave" });
    expect(answer.rooms[roomId]?.timeline).to.deep.equal([]);
    expect(answer.lists["all"]?.count).to.equal(0);
    const quiet = await reader.next();
    expect(quiet.rooms).to.deep.equal({});
    await makers.describeUser(cleared.userId, { clearance: 2 });
    const back = await reader.next({}, 5_000);
    expect(back.rooms[roomId]?.initial).to.equal(true);
    expect(JSON.stringify(back.rooms[roomId]?.timeline)).to.include("canary");
    await makers.lift("reads");
  });

  it("G9: end an open sync of a room when the policy begins to hold", async () => {
    const { roomId, other } = await makeScene();
    const reader = new SyncReader(second.as(other));
    await reader.next();
    const waiting = reader.next({ timeout: 20_000 });
    await makers.enact("reads", clearedOnly("read"));
    const answer = await waiting;
    expect(answer.rooms.leave).to.have.property(roomId);
    await makers.lift("reads");
    const { rooms } = await reader.next({ timeout: 5_000 });
    expect(rooms.join).to.have.property(roomId);
  });

  it("G9: hold for administrators who read rooms, events and what was reported", async () => {
    const { roomId, other } = await makeScene();
    const eventId = await say(owner, roomId, "the canary");
    must(
      await other.post(path`/rooms/${roomId}/report/${eventId}`, {
        reason: "r",
      }),
    );
    const admin = await administrator(server, `admin${count}`, "system-admin");
    const rooms = "/_synapse/admin/v1/rooms";
    const reads = [
      `${rooms}/${roomId}/messages?dir=b`,
      `${rooms}/${roomId}/context/${eventId}`,
      `${rooms}/${roomId}/state`,
      `${rooms}/${roomId}/members`,
      `${rooms}/${roomId}/timestamp_to_event?ts=0&dir=f`,
      `/_synapse/admin/v1/fetch_event/${eventId}`,
      "/_synapse/admin/v1/event_reports/",
    ];
    const {
      event_reports: [report],
    } = must<{ event_reports: { id: number }[] }>(
      await admin.get("/_synapse/admin/v1/event_reports"),
    ) as { event_reports: [{ id: number }] };
    reads[6] += String(report.id);
    const file = await uploadImage(owner);
    await send(owner, roomId, "m.room.message", {
      ...{ msgtype: "m.image", body: "b", url: `mxc://test/${file}` },
    });
    reads.push(
      `/_synapse/admin/v1/room/${roomId}/media`,
      `/_myelin/admin/v1/rooms/${roomId}/media`,
    );
    for (const target of reads) must(await admin.get(target));
    await makers.enact("reads", clearedOnly("read"));
    for (const target of reads) {
      const answer = await admin.get(target);
      expect(answer.status, target).to.equal(403);
      expect(answer.text).not.to.include("canary");
      expect(answer.text).not.to.include(file);
    }
    await makers.describeUser(admin.userId, { clearance: 2 });
    for (const target of reads) must(await admin.get(target));
    await makers.lift("reads");
  });

  it("G9: tell administrators who may not read a room neither its name nor its alias, in no list", async () => {
    const name = "the name of the secret";
    const roomId = await makeRoom(owner, {
      ...{ name, preset: "public_chat", room_alias_name: "thesecret" },
    });
    await makers.describeRoom(roomId, { level: 2 });
    must(
      await owner.post(path`/_matrix/client/v3/rooms/${roomId}/report`, {
        reason: "r",
      }),
    );
    const eventId = await say(owner, roomId, "reported");
    must(
      await owner.post(path`/rooms/${roomId}/report/${eventId}`, {
        reason: "r",
      }),
    );
    const admin = await administrator(server, `lists${count}`, "system-admin");
    const lists = [
      "/_synapse/admin/v1/rooms?limit=500",
      "/_synapse/admin/v1/rooms?limit=500&order_by=version",
      "/_synapse/admin/v1/event_reports?limit=500",
      `${ADMIN}/room_reports?limit=500`,
    ];
    const found = "/_synapse/admin/v1/rooms?search_term=of%20the%20secret";
    for (const list of lists)
      expect((await admin.get(list)).text, list).to.include("thesecret");
    expect(must(await admin.get(found))["total_rooms"]).to.equal(1);
    await makers.enact("reads", clearedOnly("read"));
    for (const list of lists) {
      const { text } = await admin.get(list);
      expect(text, list).to.include(roomId);
      expect(text, list).to.not.include("secret");
    }
    expect(must(await admin.get(found))["total_rooms"]).to.equal(0);
    await makers.describeUser(admin.userId, { clearance: 2 });
    for (const list of lists)
      expect((await admin.get(list)).text, list).to.include("thesecret");
    await makers.lift("reads");
  });

  it("go by groups, spaces, classes and encryption", async () => {
    const user = await newUser();
    const space = await makeRoom(owner, {
      preset: "public_chat",
      creation_content: { type: "m.space" },
    });
    const roomId = await makePublicRoom(owner);
    const via = ["test"];
    const link = (from: string, type: string, to: string) =>
      owner.put(path`/rooms/${from}/state/${type}/${to}`, { via });
    must(await link(space, "m.space.child", roomId));
    await makers.enact("spaces", {
      rules: [
        {
          name: "staff of the space",
          effect: "deny",
          actions: ["join"],
          when: {
            all: [
              { in: [{ resource: "spaces" }, [space]] },
              { eq: [{ resource: "class" }, "public"] },
              { eq: [{ resource: "encrypted" }, false] },
              { not: { in: ["staff", { user: "groups" }] } },
            ],
          },
        },
      ],
    });
    const join = path`/rooms/${roomId}/join`;
    must(await user.post(join));
    must(await user.post(path`/rooms/${roomId}/leave`));
    must(await link(roomId, "m.space.parent", space));
    refused(await user.post(join), "spaces");
    const { author } = makers;
    must(
      await author.post(`${ADMIN}/groups`, {
        group_id: "staff",
        description: "",
      }),
    );
    must(
      await author.put(
        `${ADMIN}${path`/groups/staff/members/${user.userId}`}`,
        {},
      ),
    );
    must(await user.post(join));
    must(await author.delete(`${ADMIN}/groups/staff`));
    must(await user.post(path`/rooms/${roomId}/leave`));
    refused(await user.post(join), "spaces");
    await makers.lift("spaces");
  });

  it("go by the network that one comes from, and count against who comes from none that is known", async () => {
    const { roomId, other } = await makeScene();
    const only = (network: string) => ({
      rules: [
        {
          name: "from there alone",
          effect: "deny" as const,
          actions: ["send" as const],
          when: { not: { cidr: [network] } },
        },
      ],
    });
    await makers.enact("networks", only("127.0.0.0/8"));
    await say(other, roomId, "from here");
    await makers.enact("networks", only("10.0.0.0/8"));
    refused(
      await other.put(path`/rooms/${roomId}/send/m.room.message/n`, {
        body: "",
      }),
      "networks",
    );
    await makers.lift("networks");
  });

  it("go by whether a device is verified, by the keys that there are now", async () => {
    const { roomId, other } = await makeScene();
    const { userId, deviceId } = other;
    const device = newDevice(other);
    const keys = newCrossSigning(userId);
    must(await other.post("/keys/upload", { device_keys: device.deviceKeys }));
    must(await other.post("/keys/device_signing/upload", keys.body));
    await makers.enact("devices", {
      rules: [
        {
          name: "verified alone",
          effect: "deny",
          actions: ["read"],
          when: { eq: [{ env: "verified_device" }, false] },
        },
      ],
    });
    const state = path`/rooms/${roomId}/state`;
    refused(await other.get(state));
    const signed = keys.selfSigning.sign(device.deviceKeys, userId);
    must(
      await other.post("/keys/signatures/upload", {
        [userId]: { [deviceId]: signed },
      }),
    );
    must(await other.get(state));
    const next = newCrossSigning(userId);
    must(
      await withPassword(
        other,
        "POST",
        "/keys/device_signing/upload",
        next.body,
      ),
    );
    refused(await other.get(state));
    await makers.lift("devices");
  });

  it("G9: leave who may not read a room as little to do with it as a stranger", async () => {
    const { roomId, other } = await makeScene();
    const eventId = await say(owner, roomId, "the canary");
    const guest = await newUser();
    must(
      await owner.post(path`/rooms/${roomId}/invite`, {
        user_id: guest.userId,
      }),
    );
    const reader = new SyncReader(guest);
    expect((await reader.next()).rooms.invite).to.have.property(roomId);
    await makers.enact("reads", clearedOnly("read"));
    const place = path`/rooms/${roomId}`;
    refused(await other.put(`${place}/send/m.room.message/s`, { body: "x" }));
    refused(
      await other.put(`${place}/typing/${other.userId}`, { typing: true }),
    );
    refused(await other.post(`${place}/receipt/m.read/${eventId}`, {}));
    refused(await other.put(`${place}/redact/${eventId}/1`, {}));
    refused(await other.get(`${place}/aliases`));
    const shared = must<{ joined: string[]; count: number }>(
      await other.get(
        `/_matrix/client/v1/mutual_rooms?user_id=${encodeURIComponent(owner.userId)}`,
      ),
    );
    expect(shared).to.deep.include({ joined: [], count: 0 });
    const { rooms } = await reader.next();
    expect(rooms.invite).to.deep.equal({});
    expect(rooms.leave[roomId]?.timeline.events).to.deep.equal([]);
    must(await other.post(`${place}/leave`));
    await makers.lift("reads");
    const after = await reader.next();
    expect(after.rooms.invite).to.have.property(roomId);
  });

  it("G9: hold when an event that was to be sent later is sent", async () => {
    const { roomId, other } = await makeScene();
    const target = path`/rooms/${roomId}/send/m.room.message/later`;
    const { delay_id: id } = must<{ delay_id: string }>(
      await other.put(`${target}?org.matrix.msc4140.delay=60000`, {
        msgtype: "m.text",
        body: "the canary",
      }),
    );
    await makers.enact("sends", clearedOnly("send"));
    const sent = await other.post(
      `/_matrix/client/unstable/org.matrix.msc4140/delayed_events/${id}/send`,
    );
    refused(sent);
    const page = await getMessages(owner, roomId, { dir: "b", limit: 3 });
    expect(JSON.stringify(page)).not.to.include("canary");
    await makers.lift("sends");
  });

  it("G9: hold for the room that replaces one, and let nobody replace it who may not send there", async () => {
    const { roomId, cleared } = await makeScene();
    const upgrade = () =>
      owner.post(path`/rooms/${roomId}/upgrade`, { new_version: "12" });
    await makers.describeUser(owner.userId, {});
    await makers.enact("sends", clearedOnly("send"));
    const rooms = async () =>
      must<{ joined_rooms: string[] }>(await owner.get("/joined_rooms"))
        .joined_rooms.length;
    const before = await rooms();
    refused(await upgrade(), "sends");
    expect(await rooms()).to.equal(before);
    await makers.describeUser(owner.userId, { clearance: 9 });
    const { replacement_room: next } = must<{ replacement_room: string }>(
      await upgrade(),
    );
    await act(cleared, next, "join");
    await say(cleared, next, "allowed");
    await makers.describeUser(cleared.userId, {});
    refused(
      await cleared.put(path`/rooms/${next}/send/m.room.message/u`, {
        body: "",
      }),
      "sends",
    );
    await makers.lift("sends");
  });
});
