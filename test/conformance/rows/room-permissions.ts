import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  act,
  contentOf,
  getEvent,
  membershipOf,
  mustAct,
  publicRoom,
  tryJoin,
  trySetState,
} from "../harness/rooms.ts";

const permits = ownRows("permissions in a room");

permits("strangers read and write nothing", async ({ alice, bob }) => {
  const roomId = await alice.createRoom();
  const target = path`/rooms/${roomId}`;
  const message = `${target}/send/m.room.message/${bob.nextTxn()}`;
  const name = { name: "mine now" };
  const answers = {
    send: await bob.put(message, { msgtype: "m.text", body: "hello" }),
    set: await trySetState(bob, roomId, "m.room.name", name),
    state: await bob.get(`${target}/state`),
    members: await bob.get(`${target}/members`),
    joined: await bob.get(`${target}/joined_members`),
    messages: await bob.get(`${target}/messages`, { dir: "b" }),
    create: await bob.get(`${target}/state/m.room.create/`),
    invite: await act(bob, roomId, "invite", { user_id: bob.userId }),
    kick: await act(bob, roomId, "kick", { user_id: alice.userId }),
  };
  for (const [what, answer] of Object.entries(answers))
    expect([answer.status, answer.body["errcode"]], what).to.deep.equal([
      403,
      "M_FORBIDDEN",
    ]);
});

permits(
  "members need the power that an act asks for",
  async ({ server, alice, bob }) => {
    const charlie = await server.user("charlie");
    const roomId = await publicRoom(alice);
    await Promise.all([bob.join(roomId), charlie.join(roomId)]);
    const other = { user_id: charlie.userId };
    const answers = {
      name: await trySetState(bob, roomId, "m.room.name", { name: "x" }),
      levels: await trySetState(bob, roomId, "m.room.power_levels", {}),
      kick: await act(bob, roomId, "kick", other),
      ban: await act(bob, roomId, "ban", other),
      unban: await act(bob, roomId, "unban", other),
    };
    for (const [what, answer] of Object.entries(answers))
      expect(answer.status, what).to.equal(403);
    expect(await membershipOf(alice, roomId, charlie.userId)).to.equal("join");
  },
);

permits(
  "the banned stay out until they are unbanned",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    const him = { user_id: bob.userId };
    await mustAct(alice, roomId, "ban", him);
    expectError(await tryJoin(bob, roomId), 403);
    expectError(await act(alice, roomId, "invite", him), 403);
    await mustAct(alice, roomId, "unban", him);
    expect(await membershipOf(alice, roomId, bob.userId)).to.equal("leave");
    await bob.join(roomId);
  },
);

permits("an unban needs a ban", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const answer = await act(alice, roomId, "unban", { user_id: bob.userId });
  expectError(answer, 403);
  expect(await membershipOf(alice, roomId, bob.userId)).to.equal("join");
});

permits(
  "one may redact one's own messages, and others' by power",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    const [hers, his] = [
      await alice.sendText(roomId, "hers"),
      await bob.sendText(roomId, "his"),
    ];
    const redact = (user: typeof alice, eventId: string) =>
      user.put(path`/rooms/${roomId}/redact/${eventId}/${user.nextTxn()}`);
    expectError(await redact(bob, hers), 403, "M_FORBIDDEN");
    expect((await redact(bob, his)).status).to.equal(200);
    expect((await redact(alice, hers)).status).to.equal(200);
    for (const eventId of [hers, his]) {
      const { body } = await getEvent(bob, roomId, eventId);
      expect(contentOf(body)).to.deep.equal({});
    }
  },
);

permits(
  "a redacted state event keeps what the rules protect",
  async ({ alice }) => {
    const roomId = await publicRoom(alice, { topic: "topic" });
    const member = path`/rooms/${roomId}/state/m.room.member/${alice.userId}`;
    const event = await alice.mustGet(member, { format: "event" });
    const id = String(event["event_id"]);
    await alice.mustPut(path`/rooms/${roomId}/redact/${id}/${alice.nextTxn()}`);
    const after = await alice.mustGet(member);
    expect(after).to.deep.equal({ membership: "join" });
  },
);

permits(
  "nobody sets the membership of another by a state event",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    const join = { membership: "join" };
    const answer = await trySetState(
      alice,
      roomId,
      "m.room.member",
      join,
      bob.userId,
    );
    expectError(answer, 403, "M_FORBIDDEN");
  },
);

permits("unknown rooms are as closed as private ones", async ({ alice }) => {
  const roomId = `!none:${alice.serverName}`;
  const target = path`/rooms/${roomId}/state`;
  expectError(await alice.get(target), 403, "M_FORBIDDEN");
  expect((await tryJoin(alice, roomId)).status).to.be.within(403, 404);
});
