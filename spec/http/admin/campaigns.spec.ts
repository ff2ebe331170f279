import { expect } from "chai";
import type { UserId } from "../../../src/core/ids.ts";
import { runTask } from "../../../src/domain/admin/tasks/run-tasks.ts";
import { setRoomState } from "../../../src/domain/rooms/set-state.ts";
import { administrator } from "../../support/administrators.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { requesterOf } from "../../support/requester.ts";
import { act, must, path } from "../../support/rooms.ts";
import { useServer, type Json, type TestUser } from "../../support/server.ts";
import { doTasks } from "../../support/tasks.ts";

const N = "/_myelin/admin/v1";
const CAMPAIGNS = `${N}/campaigns`;
const content = { msgtype: "m.text", body: "Never send secrets in plain" };

interface Invites {
  rooms: { invite: Record<string, unknown> };
}

describe("a campaign", () => {
  const server = useServer();
  let admin: TestUser;
  let security: TestUser;
  const people: TestUser[] = [];

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
    security = await administrator(server, "security", "security-admin");
    for (const name of ["ann", "ben", "cy", "dora"])
      people.push(await server.user(name));
  });

  const begin = async (order: Json): Promise<string> => {
    const answer = must(
      await admin.post(CAMPAIGNS, { name: "Training", content, ...order }),
    );
    return answer["campaign_id"] as string;
  };
  const toUsers = (...users: TestUser[]) => ({
    audience: { kind: "users", users: users.map(({ userId }) => userId) },
  });
  const countsOf = async (id: string) =>
    must<{ counts: Json }>(await admin.get(`${CAMPAIGNS}/${id}`)).counts;
  const membersOf = async (id: string, query = "") =>
    must<{ members: Json[]; total: number }>(
      await admin.get(`${CAMPAIGNS}/${id}/members${query}`),
    );
  const eventOf = async (id: string, { userId }: TestUser) => {
    const { members } = await membersOf(id);
    const member = members.find((each) => each["user_id"] === userId);
    return String(member!["event_id"]);
  };
  const enter = async (user: TestUser): Promise<string> => {
    const { rooms } = must<Invites>(await user.get("/sync"));
    const [invited] = Object.keys(rooms.invite);
    if (invited !== undefined) await act(user, invited, "join");
    const { joined_rooms } = must<{ joined_rooms: string[] }>(
      await user.get("/joined_rooms"),
    );
    return joined_rooms[0]!;
  };
  const react = (user: TestUser, roomId: string, event_id: string, n = 1) =>
    user.put(path`/rooms/${roomId}/send/m.reaction/${`t${n}${event_id}`}`, {
      "m.relates_to": { rel_type: "m.annotation", event_id, key: "👍" },
    });
  /** As if the time had come. */
  const makeDue = async (id: string) => {
    const { sql } = server.database;
    await sql`update campaign_members set remind_ts = 0
      where campaign_id = ${id} and remind_ts is not null`;
    await sql`update admin_jobs set not_before = 0 where job_id =
      (select job_id from campaigns where campaign_id = ${id})`;
  };

  it("tells each of a list once, and knows who has seen and who has acknowledged it", async () => {
    const [ann, ben, cy] = people as [TestUser, TestUser, TestUser];
    const id = await begin(toUsers(ann, ben, cy));
    await doTasks(server);
    expect(await countsOf(id)).to.deep.equal({
      ...{ members: 3, sent: 3, failed: 0, seen: 0 },
      ...{ acknowledged: 0, reminded: 0 },
    });
    const annRoom = await enter(ann);
    const notice = await eventOf(id, ann);
    const event = must<{ content: Json; sender: string }>(
      await ann.get(path`/rooms/${annRoom}/event/${notice}`),
    );
    expect(event.content).to.deep.include({
      ...content,
      "org.myelin.campaign": { campaign_id: id },
    });
    must(await react(ann, annRoom, notice));
    const benRoom = await enter(ben);
    const seen = await eventOf(id, ben);
    must(await ben.post(path`/rooms/${benRoom}/receipt/m.read/${seen}`));
    expect(await countsOf(id)).to.include({ seen: 2, acknowledged: 1 });
    const states = (await membersOf(id)).members.map((each) => [
      ...[each["user_id"], each["state"]],
    ]);
    expect(states).to.deep.equal([
      [ann.userId, "acknowledged"],
      [ben.userId, "seen"],
      [cy.userId, "sent"],
    ]);
    const page = await membersOf(id, "?state=sent&limit=1");
    expect(page).to.include({ total: 1 });
    expect(page.members[0]).to.include({ user_id: cy.userId });
  });

  it("takes no answer but a reaction of the one whom the room is of", async () => {
    const [ann] = people as [TestUser];
    const id = await begin(toUsers(ann));
    await doTasks(server);
    const roomId = await enter(ann);
    const notice = await eventOf(id, ann);
    const said = await ann.put(path`/rooms/${roomId}/send/m.room.message/x`, {
      ...{ msgtype: "m.text", body: "hello?" },
    });
    expect(said.status).to.equal(403);
    const reaction = must<{ event_id: string }>(
      await react(ann, roomId, notice),
    );
    expect(await countsOf(id)).to.include({ acknowledged: 1 });
    expect(reaction.event_id).to.be.a("string");
  });

  it("can be acknowledged in a room of former times, where nobody could react", async () => {
    const [, , , dora] = people as [TestUser, TestUser, TestUser, TestUser];
    await begin(toUsers(dora));
    await doTasks(server);
    const roomId = await enter(dora);
    const sender = {
      ...requesterOf(dora),
      userId: "@notices:test" as UserId,
    };
    const power = { type: "m.room.power_levels", stateKey: "" };
    await setRoomState(server.edges, sender, roomId, {
      ...{ ...power, content: { users_default: -10 } },
    });
    const id = await begin(toUsers(dora));
    await doTasks(server);
    const notice = await eventOf(id, dora);
    must(await react(dora, roomId, notice));
    expect(await countsOf(id)).to.include({ acknowledged: 1 });
    const said = await dora.put(path`/rooms/${roomId}/send/m.room.message/x`, {
      ...{ msgtype: "m.text", body: "hello?" },
    });
    expect(said.status).to.equal(403);
  });

  it("does not tell that somebody read it who lets nobody know", async () => {
    const [, , cy] = people as [TestUser, TestUser, TestUser];
    const id = await begin(toUsers(cy));
    await doTasks(server);
    const roomId = await enter(cy);
    const notice = await eventOf(id, cy);
    must(
      await cy.post(path`/rooms/${roomId}/receipt/m.read.private/${notice}`),
    );
    expect(await countsOf(id)).to.include({ seen: 0 });
    must(await cy.post(path`/rooms/${roomId}/receipt/m.read/${notice}`));
    expect(await countsOf(id)).to.include({ seen: 1, acknowledged: 0 });
  });

  it("reminds who has not acknowledged it, so often as was asked for, and ends", async () => {
    const [ann, ben] = people as [TestUser, TestUser];
    const id = await begin({
      ...toUsers(ann, ben),
      ...{ remind_after_ms: 60_000, max_reminders: 2 },
    });
    await doTasks(server);
    must(await react(ann, await enter(ann), await eventOf(id, ann)));
    const textsOf = async () => {
      const { chunk } = must<{ chunk: { content: Json }[] }>(
        await ben.get(path`/rooms/${await enter(ben)}/messages?dir=b&limit=20`),
      );
      return chunk.flatMap(({ content: { body, ...rest } }) =>
        (rest["org.myelin.campaign"] as Json)?.["campaign_id"] === id
          ? [body]
          : [],
      );
    };
    for (let i = 0; i < 4; i += 1) {
      await makeDue(id);
      await doTasks(server);
    }
    const reminder = `Reminder 提醒: ${content.body}`;
    expect(await textsOf()).to.deep.equal([reminder, reminder, content.body]);
    expect(await countsOf(id)).to.include({ acknowledged: 1, reminded: 1 });
    const [open] = (await membersOf(id, "?state=sent")).members;
    expect(open).to.include({ user_id: ben.userId, reminders: 2 });
    const { sql } = server.database;
    const [{ reminderId } = { reminderId: "" }] = await sql<
      { reminderId: string }[]
    >`select reminder_id from campaign_members where campaign_id = ${id} and user_id = ${ben.userId}`;
    must(await react(ben, await enter(ben), reminderId));
    await makeDue(id);
    await doTasks(server);
    expect(must(await admin.get(`${CAMPAIGNS}/${id}`))).to.include({
      state: "closed",
    });
    expect(await countsOf(id)).to.include({ acknowledged: 2 });
  });

  it("ends when its time is over, and keeps what was answered", async () => {
    const [ann] = people as [TestUser];
    const id = await begin(toUsers(ann));
    await doTasks(server);
    const { sql } = server.database;
    await sql`update campaigns set closes_ts = 0 where campaign_id = ${id}`;
    await makeDue(id);
    await doTasks(server);
    expect(must(await admin.get(`${CAMPAIGNS}/${id}`))).to.include({
      state: "closed",
    });
  });

  it("is for all who have an account in use, or for a group", async () => {
    const [ann, ben, , dora] = people as TestUser[];
    must(
      await security.post(`${N}/groups`, { group_id: "g", description: "d" }),
    );
    for (const { userId } of [ann!, dora!])
      must(await security.put(`${N}/groups/g/members/${userId}`, {}));
    const group = await begin({ audience: { kind: "group", id: "g" } });
    await doTasks(server);
    const { members } = await membersOf(group);
    expect(members.map((each) => each["user_id"])).to.deep.equal([
      ...[ann!.userId, dora!.userId],
    ]);
    const all = await begin({ audience: { kind: "all" } });
    await doTasks(server);
    const everyone = (await membersOf(all)).members.map((m) => m["user_id"]);
    expect(everyone).to.include.members([ben!.userId, security.userId]);
    expect(everyone).to.not.include("@notices:test");
    expect(new Set(everyone).size).to.equal(everyone.length);
    expect(await countsOf(all)).to.include({
      ...{ members: everyone.length, sent: everyone.length, failed: 0 },
    });
  });

  it("goes on where a process died, and tells nobody twice", async () => {
    const many: TestUser[] = [];
    for (let i = 0; i < 25; i += 1) many.push(await server.user(`m${i + 10}`));
    const id = await begin(toUsers(...many));
    const { job_id } = must(await admin.get(`${CAMPAIGNS}/${id}`));
    await runTask(server.edges, { jobId: String(job_id), steps: 1 });
    expect(await countsOf(id)).to.include({ members: 25, sent: 20 });
    // What was sent, and not noted before the process died.
    await server.database.sql`
      update campaign_members set sent_ts = null, event_id = null, room_nid = null
      where campaign_id = ${id} and user_id = ${many[0]!.userId}`;
    await doTasks(await server.startProcess());
    expect(await countsOf(id)).to.include({ sent: 25, failed: 0 });
    const roomId = await enter(many[0]!);
    const { chunk } = must<{ chunk: { type: string }[] }>(
      await many[0]!.get(path`/rooms/${roomId}/messages?dir=b&limit=30`),
    );
    const notices = chunk.filter(({ type }) => type === "m.room.message");
    expect(notices).to.have.length(1);
  });

  it("can be taken back, and is recorded without what it says", async () => {
    const head = await auditHead(server);
    const [ann] = people as [TestUser];
    const id = await begin(toUsers(ann));
    expect(must(await admin.post(`${CAMPAIGNS}/${id}/cancel`))).to.include({
      state: "cancelled",
    });
    await doTasks(server);
    expect(await countsOf(id)).to.include({ sent: 0 });
    const again = await admin.post(`${CAMPAIGNS}/${id}/cancel`);
    expect(again.body).to.include({ errcode: "M_BAD_STATE" });
    const records = await readAudit(server, head);
    expect(records[0]).to.deep.include({ action: "notices.send" });
    expect(records[0]!["after"]).to.include({ audience: "users", users: 1 });
    expect(JSON.stringify(records)).to.not.include(content.body);
  });

  it("names what is wrong with it, and takes the permission to send notices", async () => {
    const [ann] = people as [TestUser];
    for (const [audience, errcode] of [
      [{ kind: "users", users: [] }, "M_INVALID_PARAM"],
      [{ kind: "users", users: ["@absent:test"] }, "M_NOT_FOUND"],
      [{ kind: "group", id: "absent" }, "M_NOT_FOUND"],
      [{ kind: "group" }, "M_INVALID_PARAM"],
      [{ kind: "all", users: [ann.userId] }, "M_INVALID_PARAM"],
    ] as const) {
      const order = { name: "n", content, audience };
      const answer = await admin.post(CAMPAIGNS, order);
      expect(answer.body).to.include({ errcode });
    }
    expect((await ann.get(CAMPAIGNS)).status).to.equal(403);
    expect((await admin.get(`${CAMPAIGNS}/none`)).status).to.equal(404);
    const { campaigns, total } = must<{ campaigns: Json[]; total: number }>(
      await admin.get(`${CAMPAIGNS}?limit=2`),
    );
    expect(campaigns).to.have.length(2);
    expect(total).to.be.above(2);
  });
});
