import { expect } from "chai";
import { administrator } from "../../support/administrators.ts";
import { countStatements } from "../../support/count-statements.ts";
import { makePublicRoom, must, path, say } from "../../support/rooms.ts";
import { searchReports } from "../../../src/domain/admin/settle-reports.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";

const S = "/_synapse/admin/v1";
const N = "/_myelin/admin/v1";

describe("reports, as administrators' tools ask for them", () => {
  const server = useServer();
  let admin: TestUser;
  let alice: TestUser;
  let bob: TestUser;
  let roomId: string;
  let eventId: string;

  before(async () => {
    admin = await administrator(server, "admin", "system-admin");
    alice = await server.user("alice");
    bob = await server.user("bob");
    roomId = await makePublicRoom(alice);
    eventId = await say(alice, roomId, "offensive");
    await bob.post(path`/rooms/${roomId}/join`);
    const target = path`/rooms/${roomId}/report/${eventId}`;
    must(await bob.post(target, { reason: "rude", score: -100 }));
    must(await alice.post(target, { reason: "a joke" }));
    must(await bob.post(path`/rooms/${roomId}/report`, { reason: "the room" }));
    must(
      await bob.post(path`/users/${alice.userId}/report`, { reason: "her" }),
    );
  });

  interface Page {
    event_reports: Json[];
    total: number;
    next_token?: number;
  }
  const list = async (query = ""): Promise<Page> =>
    must<Page>(await admin.get(`${S}/event_reports?${query}`));

  it("of events are listed, filtered and paged, the newest first", async () => {
    const page = await list();
    expect(page.total).to.equal(2);
    expect(page.event_reports[1]).to.deep.include({
      room_id: roomId,
      event_id: eventId,
      user_id: bob.userId,
      sender: alice.userId,
      reason: "rude",
      score: -100,
      name: null,
      canonical_alias: null,
    });
    expect(page.event_reports[0]).to.include({ reason: "a joke", score: null });
    const reasons = async (query: string) =>
      (await list(query)).event_reports.map((report) => report["reason"]);
    expect(await reasons("dir=f")).to.deep.equal(["rude", "a joke"]);
    expect(await reasons("user_id=bob")).to.deep.equal(["rude"]);
    expect(await reasons(`room_id=${roomId}&user_id=`)).to.have.length(2);
    expect(await reasons("room_id=!absent")).to.deep.equal([]);
    const sender = encodeURIComponent(bob.userId);
    expect(await reasons(`event_sender_user_id=${sender}`)).to.have.length(0);
    const first = await list("limit=1&from=0&dir=b");
    expect(first).to.include({ total: 2, next_token: 1 });
    expect(await list("limit=1&from=1")).to.not.have.property("next_token");
  });

  it("of an event are told with it, and settled", async () => {
    const { event_reports } = await list("user_id=bob");
    const id = String(event_reports[0]!["id"]);
    const one = must<Json & { event_json: Json }>(
      await admin.get(`${S}/event_reports/${id}`),
    );
    expect(one).to.include({ reason: "rude", event_id: eventId });
    expect(one.event_json["content"]).to.include({ body: "offensive" });
    must(await admin.delete(`${S}/event_reports/${id}`));
    expect((await admin.get(`${S}/event_reports/${id}`)).status).to.equal(404);
    const again = await admin.delete(`${S}/event_reports/${id}`);
    expect(again.status).to.equal(404);
    const odd = await admin.get(`${S}/event_reports/x`);
    expect(odd.body["errcode"]).to.equal("M_INVALID_PARAM");
    expect((await list()).total).to.equal(1);
  });

  it("of users and of rooms have lists of their own", async () => {
    const users = must<{ user_reports: Json[]; total: number }>(
      await admin.get(`${S}/user_reports`),
    );
    expect(users.total).to.equal(1);
    expect(users.user_reports[0]).to.include({
      target_user_id: alice.userId,
      user_id: bob.userId,
      reason: "her",
    });
    const id = String(users.user_reports[0]!["id"]);
    must(await admin.get(`${S}/user_reports/${id}`));
    expect((await admin.get(`${S}/event_reports/${id}`)).status).to.equal(404);
    must(await admin.delete(`${S}/user_reports/${id}`));
    expect((await admin.get(`${S}/user_reports/${id}`)).status).to.equal(404);
    const rooms = must<{ room_reports: Json[]; total: number }>(
      await admin.get(`${N}/room_reports`),
    );
    expect(rooms.room_reports[0]).to.include({
      room_id: roomId,
      reason: "the room",
    });
    const room = String(rooms.room_reports[0]!["id"]);
    must(await admin.delete(`${N}/room_reports/${room}`));
  });

  it("are read by nobody else, and each time recorded", async () => {
    const refused = await bob.get(`${S}/event_reports`);
    expect(refused.body["org.myelin.permission"]).to.equal("reports.read");
    const rows = await server.database.sql<{ record: string }[]>`
      select record from audit_log`;
    const acts = rows.map(
      ({ record }) => (JSON.parse(record) as Json)["action"],
    );
    expect(acts).to.include.members(["reports.read", "reports.write"]);
    expect(rows.map(({ record }) => record).join()).to.not.include("a joke");
  });

  it("take as many statements for many as for one", async () => {
    const counted = countStatements(server.edges.db);
    const edges = { ...server.edges, db: counted.sql };
    const by = {
      requester: { userId: admin.userId } as never,
      actor: { userId: admin.userId, permission: "reports.read" } as never,
    };
    const search = {
      kind: "event",
      ...{ reporter: null, roomId: null, sender: null, userId: null },
      ...{ isDescending: true, limit: 100, offset: 0 },
    } as const;
    await searchReports(edges, by, search);
    counted.taken();
    await searchReports(edges, by, search);
    const one = counted.taken();
    for (let i = 0; i < 10; i += 1) {
      const id = await say(alice, roomId, `${i}`);
      const target = path`/rooms/${roomId}/report/${id}`;
      must(await bob.post(target, { reason: "r" }));
    }
    await searchReports(edges, by, search);
    expect(counted.taken()).to.be.at.most(one + 1);
  });
});
