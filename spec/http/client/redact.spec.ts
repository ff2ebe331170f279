import { expect } from "chai";
import {
  edit,
  react,
  redact as redactOne,
  refer,
  reply,
} from "../../support/relations.ts";
import {
  makePublicRoom,
  makeRoomOfTwo,
  must,
  path,
  say,
  setState,
} from "../../support/rooms.ts";
import { type Answer, type TestUser, useServer } from "../../support/server.ts";

describe("PUT /rooms/{roomId}/redact/{eventId}/{txnId}", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;
  let count = 0;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const redact = (
    user: TestUser,
    roomId: string,
    eventId: string,
  ): Promise<Answer> =>
    user.put(path`/rooms/${roomId}/redact/${eventId}/${`r${count++}`}`, {
      reason: "spam",
    });

  const roomOfTwo = () => makeRoomOfTwo(alice, bob);

  it("deletes the content for good and leaves who, when and why", async () => {
    const roomId = await roomOfTwo();
    const eventId = await say(bob, roomId, "regretted words");
    const redaction = must<{ event_id: string }>(
      await redact(bob, roomId, eventId),
    ).event_id;
    const { sql } = server.database;
    const rows = await sql`
      select from event_contents join events using (nid) where event_id = ${eventId}`;
    expect(rows).to.have.length(0);
    const { body } = await alice.get(path`/rooms/${roomId}/event/${eventId}`);
    expect(body["content"]).to.deep.equal({});
    expect(body["unsigned"]).to.deep.include({ redacted_by: redaction });
    const because = (body["unsigned"] as Record<string, unknown>)[
      "redacted_because"
    ];
    expect(because).to.deep.include({
      content: { reason: "spam", redacts: eventId },
      redacts: eventId,
      sender: bob.userId,
    });
  });

  it("shows at once in another process that has the event in its memory", async () => {
    const roomId = await roomOfTwo();
    const eventId = await say(bob, roomId, "soon gone");
    const other = await server.startProcess();
    const target = path`/rooms/${roomId}/event/${eventId}`;
    const before = await other.as(alice).get(target);
    expect(before.text).to.contain("soon gone");
    must(await redact(bob, roomId, eventId));
    const after = await other.as(alice).get(target);
    expect(after.text).to.not.contain("soon gone");
  });

  it("needs power for what others said", async () => {
    const roomId = await roomOfTwo();
    const eventId = await say(alice, roomId, "by alice");
    const refused = await redact(bob, roomId, eventId);
    expect([refused.status, refused.body["errcode"]]).to.deep.equal([
      403,
      "M_FORBIDDEN",
    ]);
    const seen = await bob.get(path`/rooms/${roomId}/event/${eventId}`);
    expect(seen.text).to.contain("by alice");
    must(await redact(alice, roomId, await say(bob, roomId, "by bob")));
  });

  it("never takes the create event apart", async () => {
    const roomId = await roomOfTwo();
    const create = must<{ event_id: string }>(
      await alice.get(path`/rooms/${roomId}/state/m.room.create/?format=event`),
    );
    await redact(alice, roomId, create.event_id);
    const { body } = await alice.get(
      path`/rooms/${roomId}/state/m.room.create/`,
    );
    expect(body["room_version"]).to.equal("12");
    await say(bob, roomId, "the room lives");
  });

  it("keeps of state what the room stands on", async () => {
    const roomId = await roomOfTwo();
    const levels = path`/rooms/${roomId}/state/m.room.power_levels`;
    const { body } = await alice.get(levels);
    const eventId = await setState(alice, roomId, "m.room.power_levels", {
      ...body,
      events_default: 10,
      "org.example.more": 1,
    });
    must(await redact(alice, roomId, eventId));
    const left = (await alice.get(levels)).body;
    expect(left).to.include({ events_default: 10 });
    expect(left).to.not.have.property("org.example.more");
    const refused = await bob.put(
      path`/rooms/${roomId}/send/m.room.message/quiet`,
      { body: "no power" },
    );
    expect(refused.status).to.equal(403);
  });

  it("knows only events of the room that is asked", async () => {
    const roomId = await roomOfTwo();
    const other = await makePublicRoom(alice);
    const eventId = await say(alice, other, "elsewhere");
    const wrong = await redact(alice, roomId, eventId);
    const unknown = await redact(alice, roomId, "$unknown");
    expect(wrong.status).to.equal(404);
    expect(wrong.text).to.equal(unknown.text);
    const seen = await alice.get(path`/rooms/${other}/event/${eventId}`);
    expect(seen.text).to.contain("elsewhere");
  });

  it("may be sent as an event, in rooms old and new", async () => {
    for (const room_version of ["10", "11"]) {
      const made = await alice.post("/createRoom", { room_version });
      const roomId = must<{ room_id: string }>(made).room_id;
      const redacts = await say(alice, roomId, "gone");
      const sent = await alice.put(
        path`/rooms/${roomId}/send/m.room.redaction/${`s${count++}`}`,
        { redacts, reason: "why" },
      );
      const { event_id } = must<{ event_id: string }>(sent);
      const seen = await alice.get(path`/rooms/${roomId}/event/${event_id}`);
      expect(seen.body).to.deep.include({
        redacts,
        content: { redacts, reason: "why" },
      });
      const target = await alice.get(path`/rooms/${roomId}/event/${redacts}`);
      expect(target.body["content"]).to.deep.equal({});
    }
  });

  it("of each other, ends (a redacts b redacts a)", async () => {
    const roomId = await roomOfTwo();
    const eventId = await say(alice, roomId, "start");
    const first = must<{ event_id: string }>(
      await redact(alice, roomId, eventId),
    ).event_id;
    const second = must<{ event_id: string }>(
      await redact(alice, roomId, first),
    ).event_id;
    must(await redact(alice, roomId, second));
    for (const id of [eventId, first, second]) {
      const { status } = await alice.get(path`/rooms/${roomId}/event/${id}`);
      expect(status).to.equal(200);
    }
  });

  describe("with what relates to the event (MSC3912)", () => {
    const redactWith = (
      user: TestUser,
      roomId: string,
      eventId: string,
      relTypes: unknown,
      name = "org.matrix.msc3912.with_relations",
    ) => redactOne(user, roomId, eventId, { [name]: relTypes });

    const isRedacted = async (
      roomId: string,
      eventId: string,
    ): Promise<boolean> => {
      const target = path`/rooms/${roomId}/event/${eventId}`;
      const { content } = must<{ content: object }>(await alice.get(target));
      return Object.keys(content).length === 0;
    };

    const listRedacted = async (roomId: string, eventIds: string[]) => {
      const redacted: string[] = [];
      for (const eventId of eventIds)
        if (await isRedacted(roomId, eventId)) redacted.push(eventId);
      return redacted;
    };

    it("redacts those of the relations that are named, under both names", async () => {
      for (const name of [
        "org.matrix.msc3912.with_relations",
        "with_rel_types",
      ]) {
        const roomId = await roomOfTwo();
        const root = await say(alice, roomId, "root");
        const edited = await edit(alice, roomId, root, "edited");
        const editOfEdit = await edit(alice, roomId, edited, "no edit");
        const forged = await edit(bob, roomId, root, "by another");
        const threaded = await reply(alice, roomId, root);
        const all = [root, edited, editOfEdit, forged, threaded];
        must(await redactWith(alice, roomId, root, ["m.replace"], name));
        expect(await listRedacted(roomId, all)).to.deep.equal([root, edited]);
      }
    });

    it("redacts relations of any kind for *, of others too where power allows it", async () => {
      const roomId = await roomOfTwo();
      const root = await say(alice, roomId, "root");
      const related = [
        await edit(alice, roomId, root, "edited"),
        await reply(bob, roomId, root),
        await refer(bob, roomId, root),
        await react(bob, roomId, root),
      ];
      must(await redactWith(alice, roomId, root, ["*"]));
      const all = [root, ...related];
      expect(await listRedacted(roomId, all)).to.deep.equal(all);
    });

    it("leaves what the user has no power over, and is refused where that is the event itself", async () => {
      const roomId = await roomOfTwo();
      const root = await say(bob, roomId, "root");
      const own = await reply(bob, roomId, root);
      const others = await reply(alice, roomId, root);
      must(await redactWith(bob, roomId, root, ["m.thread"]));
      const all = [root, own, others];
      expect(await listRedacted(roomId, all)).to.deep.equal([root, own]);
      const next = await say(alice, roomId, "root");
      const bobs = await reply(bob, roomId, next);
      const answer = await redactWith(bob, roomId, next, ["*"]);
      expect(answer.status).to.equal(403);
      expect(await listRedacted(roomId, [next, bobs])).to.deep.equal([]);
    });

    it("redacts hundreds of them, and none twice", async () => {
      const roomId = await roomOfTwo();
      const root = await say(alice, roomId, "root");
      const made = Array.from({ length: 230 }, () => reply(bob, roomId, root));
      await Promise.all(made);
      must(await redactWith(alice, roomId, root, ["m.thread"]));
      const [row] = await server.database.sql<{ left: number; by: number }[]>`
        select count(*) filter (where redacted_by is null) as left, count(distinct redacted_by) as by
        from events where relates_to = ${root}`;
      expect(row).to.deep.equal({ left: 0, by: 230 });
    });

    it("redacts the event alone where no relation is named, and refuses what is no list", async () => {
      const roomId = await roomOfTwo();
      const root = await say(alice, roomId, "root");
      const threaded = await reply(alice, roomId, root);
      for (const wrong of ["*", [1], {}])
        expect((await redactWith(alice, roomId, root, wrong)).status).to.equal(
          400,
        );
      must(await redactWith(alice, roomId, root, []));
      const all = [root, threaded];
      expect(await listRedacted(roomId, all)).to.deep.equal([root]);
    });
  });
});
