import { expect } from "chai";
import {
  act,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
} from "../../support/rooms.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";

describe("membership", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;
  let carol: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
    carol = await server.user("carol");
  });

  const membershipOf = async (roomId: string, userId: string) => {
    const target = path`/rooms/${roomId}/state/m.room.member/${userId}`;
    return (await alice.get(target)).body["membership"];
  };

  it("is not to be told by strangers: a room unknown, and one they are not in, answer alike", async () => {
    const roomId = await makeRoom(alice, { invite: [carol.userId] });
    const eventId = await say(alice, roomId, "secret");
    const asks = (id: string) =>
      [
        () => bob.put(path`/rooms/${id}/send/m.room.message/1`, { body: "x" }),
        () => bob.put(path`/rooms/${id}/redact/${eventId}/2`, {}),
        () => bob.put(path`/rooms/${id}/state/m.room.name`, { name: "x" }),
        () =>
          bob.put(path`/rooms/${id}/state/m.room.power_levels`, { users: 1 }),
        () =>
          bob.put(path`/rooms/${id}/state/m.room.canonical_alias`, {
            alias: "#no:test",
          }),
        ...[alice.userId, carol.userId, "@nobody:test"].flatMap((user_id) => [
          ...["invite", "kick", "ban", "unban"].map(
            (what) => () => bob.post(path`/rooms/${id}/${what}`, { user_id }),
          ),
          () =>
            bob.put(path`/rooms/${id}/state/m.room.member/${user_id}`, {
              membership: "leave",
            }),
        ]),
        () => bob.post(path`/rooms/${id}/leave`),
        () => bob.post(path`/rooms/${id}/upgrade`, { new_version: "11" }),
        () => bob.put(path`/directory/room/${"#a:test"}`, { room_id: id }),
        () => bob.get(path`/rooms/${id}/state`),
        () => bob.get(path`/rooms/${id}/state/m.room.name`),
      ] as const;
    const known = asks(roomId);
    const unknown = asks(`!${"x".repeat(43)}`);
    for (const [i, ask] of known.entries()) {
      const [real, absent] = [await ask(), await unknown[i]!()];
      expect(real.status, ask.toString()).to.equal(403);
      expect(real.text, ask.toString()).to.equal(absent.text);
    }
  });

  it("invites nobody by an address, for want of an identity server", async () => {
    const roomId = await makeRoom(alice);
    const address = {
      id_server: "id.example",
      id_access_token: "x",
      medium: "email",
      address: "bob@example.org",
    };
    const asked = async (user: TestUser, body: Json) => {
      const answer = await user.post(path`/rooms/${roomId}/invite`, body);
      return [answer.status, answer.body["errcode"]];
    };
    const denied = await asked(alice, address);
    expect(denied).to.deep.equal([403, "M_THREEPID_DENIED"]);
    const created = await alice.post("/createRoom", { invite_3pid: [address] });
    expect([created.status, created.body["errcode"]]).to.deep.equal(denied);
    expect(await asked(bob, address)).to.deep.equal([403, "M_FORBIDDEN"]);
    const nobody = await asked(alice, {});
    expect(nobody).to.deep.equal([400, "M_MISSING_PARAM"]);
  });

  it("changes as the rules say: invite, join, leave, kick, ban, unban", async () => {
    const roomId = await makeRoom(alice);
    const toBob = { user_id: bob.userId };
    expect((await bob.post(path`/join/${roomId}`)).status).to.equal(403);
    await act(alice, roomId, "invite", toBob);
    await act(bob, roomId, "leave");
    expect(await membershipOf(roomId, bob.userId)).to.equal("leave");
    await act(alice, roomId, "invite", toBob);
    await act(bob, roomId, "join");
    await act(bob, roomId, "join");
    await act(alice, roomId, "kick", { ...toBob, reason: "why" });
    expect(await membershipOf(roomId, bob.userId)).to.equal("leave");
    await act(alice, roomId, "ban", toBob);
    await act(alice, roomId, "ban", toBob);
    const invite = await alice.post(path`/rooms/${roomId}/invite`, toBob);
    expect(invite.status).to.equal(403);
    expect((await bob.post(path`/join/${roomId}`)).status).to.equal(403);
    await act(alice, roomId, "unban", toBob);
    const again = await alice.post(path`/rooms/${roomId}/unban`, toBob);
    expect(again.status).to.equal(403);
    expect(await membershipOf(roomId, bob.userId)).to.equal("leave");
  });

  it("is lifted or taken once, however many ask at the same time", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    for (const what of ["kick", "unban"]) {
      if (what === "unban")
        await act(alice, roomId, "ban", { user_id: bob.userId });
      const answers = await Promise.all(
        ["a", "b", "c", "d"].map((reason) =>
          alice.post(path`/rooms/${roomId}/${what}`, {
            user_id: bob.userId,
            reason,
          }),
        ),
      );
      expect(answers.map(({ status }) => status)).to.have.members([
        200, 403, 403, 403,
      ]);
    }
  });

  it("shows nobody under a name or a picture that is none", async () => {
    const roomId = await makePublicRoom(alice);
    const member = path`/rooms/${roomId}/state/m.room.member/${bob.userId}`;
    for (const content of [
      { displayname: 5 },
      { displayname: "x".repeat(257) },
      { avatar_url: {} },
      { avatar_url: "https://tracker.example/x" },
    ]) {
      for (const answer of [
        await bob.post(path`/join/${roomId}`, content),
        await bob.put(member, { ...content, membership: "join" }),
        await alice.put(member, { ...content, membership: "invite" }),
      ]) {
        expect([answer.status, answer.body["errcode"]]).to.deep.equal([
          400,
          "M_INVALID_PARAM",
        ]);
      }
    }
    must(
      await bob.post(path`/join/${roomId}`, {
        displayname: null,
        avatar_url: "mxc://a/b",
      }),
    );
  });

  it("is answered at once where nothing changes", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    const member = path`/rooms/${roomId}/state/m.room.member/${bob.userId}?format=event`;
    const before = (await alice.get(member)).body["event_id"];
    await act(bob, roomId, "join");
    must(await bob.post(path`/join/${roomId}`));
    expect((await alice.get(member)).body["event_id"]).to.equal(before);
    await act(bob, roomId, "leave");
    const left = (await alice.get(member)).body["event_id"];
    await act(bob, roomId, "leave");
    expect((await alice.get(member)).body["event_id"]).to.equal(left);
  });

  it("needs no power to go, and power to send others away", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await act(carol, roomId, "join");
    for (const what of ["kick", "ban"]) {
      const answer = await bob.post(path`/rooms/${roomId}/${what}`, {
        user_id: carol.userId,
      });
      expect([answer.status, answer.body["errcode"]]).to.deep.equal([
        403,
        "M_FORBIDDEN",
      ]);
    }
    expect(await membershipOf(roomId, carol.userId)).to.equal("join");
  });

  it("cannot be given to users of a server that is out of reach, nor to what is no user", async () => {
    const roomId = await makeRoom(alice);
    for (const [user_id, errcode] of [
      ["@x:far.example", "M_CONNECTION_FAILED"],
      ["bob", "M_INVALID_PARAM"],
      [`@${"b".repeat(260)}:test`, "M_INVALID_PARAM"],
    ]) {
      const answer = await alice.post(path`/rooms/${roomId}/invite`, {
        user_id,
      });
      expect(answer.body["errcode"]).to.equal(errcode);
    }
    const join = await alice.post(path`/join/${"!nowhere:far.example"}`);
    expect(join.status).to.equal(403);
    const alias = await alice.post(path`/join/${"#nowhere:far.example"}`);
    expect(alias.status).to.equal(404);
  });

  it("is let in by a room whose members may, unless one claims it for another", async () => {
    const gate = await makePublicRoom(alice);
    const roomId = await makeRoom(alice, {
      initial_state: [
        {
          type: "m.room.join_rules",
          content: {
            join_rule: "restricted",
            allow: [{ type: "m.room_membership", room_id: gate }],
          },
        },
      ],
    });
    const claim = { join_authorised_via_users_server: alice.userId };
    const refused = await bob.post(path`/join/${roomId}`, claim);
    expect(refused.status).to.equal(403);
    await act(bob, gate, "join");
    must(await bob.post(path`/join/${roomId}`));
    const member = path`/rooms/${roomId}/state/m.room.member/${bob.userId}`;
    expect((await alice.get(member)).body).to.include(claim);
  });

  it("by plain state takes the way of the endpoint", async () => {
    const roomId = await makeRoom(alice);
    const member = (userId: string) =>
      path`/rooms/${roomId}/state/m.room.member/${userId}`;
    must(await alice.put(member(bob.userId), { membership: "invite" }));
    const sync = must<{ rooms: { invite: object } }>(await bob.get("/sync"));
    expect(sync.rooms.invite).to.have.property(roomId);
    must(
      await bob.put(member(bob.userId), {
        membership: "join",
        displayname: "Bobby",
      }),
    );
    expect((await alice.get(member(bob.userId))).body).to.include({
      displayname: "Bobby",
    });
    for (const [content, status] of [
      [{ membership: "jion" }, 400],
      [{}, 400],
      [{ membership: "join" }, 403],
    ] as const) {
      const answer = await alice.put(member(bob.userId), content);
      expect(answer.status, answer.text).to.equal(status);
    }
  });
});
