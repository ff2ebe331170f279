import { expect } from "chai";
import { path } from "../harness/client.ts";
import { type Gateway, pushkeyOf, withGateway } from "../harness/gateway.ts";
import { at, list, type JsonObject } from "../harness/json.ts";
import { ownRows, type Pair } from "../harness/own-rows.ts";

const pushes = ownRows("pushes");

interface Scene extends Pair {
  gateway: Gateway;
  /** Alice's room, in which Bob and another are. */
  roomId: string;
}

/** Alice, with a pusher whose gateway the row asks. */
const pushed = (
  name: string,
  run: (scene: Scene) => Promise<void>,
  data: JsonObject = {},
) => {
  pushes(name, (pair) =>
    withGateway(async (gateway) => {
      const { server, alice, bob } = pair;
      const roomId = await alice.createRoom({
        preset: "public_chat",
        name: "The room",
      });
      const carol = await server.user("carol");
      for (const user of [bob, carol]) await user.join(roomId);
      await gateway.addPusher(alice, data);
      await run({ ...pair, gateway, roomId });
    }),
  );
};

const isOf = (eventId: string) => (push: JsonObject) =>
  push["event_id"] === eventId;

pushed("tell who said what, and where", async (scene) => {
  const { gateway, alice, bob, roomId } = scene;
  const eventId = await bob.sendText(roomId, "hello");
  const push = await gateway.next(isOf(eventId));
  expect(push).to.include({
    room_id: roomId,
    room_name: "The room",
    sender: bob.userId,
    type: "m.room.message",
  });
  expect(push["content"]).to.deep.equal({ msgtype: "m.text", body: "hello" });
  expect(at(push, "counts", "unread")).to.equal(1);
  const [device] = list(push, "devices");
  expect(device).to.include({
    app_id: "org.example.app",
    pushkey: pushkeyOf(alice),
  });
});

pushed(
  "tell the ids alone where that is wished",
  async ({ gateway, bob, roomId }) => {
    const eventId = await bob.sendText(roomId, "secret");
    const push = await gateway.next(isOf(eventId));
    expect(push["room_id"]).to.equal(roomId);
    for (const key of ["content", "sender", "type", "room_name"])
      expect(push).to.not.have.property(key);
  },
  { format: "event_id_only" },
);

pushed("tell of invites", async ({ gateway, alice, bob }) => {
  const roomId = await bob.createRoom({ name: "Come in" });
  await bob.invite(roomId, alice.userId);
  const push = await gateway.next((found) => found["room_id"] === roomId);
  expect(push).to.include({
    type: "m.room.member",
    user_is_target: true,
    sender: bob.userId,
  });
  expect(at(push, "content", "membership")).to.equal("invite");
});

pushed(
  "leave out what was muted, and what one said oneself",
  async ({ gateway, alice, bob, roomId }) => {
    const muted = await alice.createRoom({ preset: "public_chat" });
    await bob.join(muted);
    await alice.mustPut(path`/pushrules/global/override/${muted}`, {
      actions: [],
      conditions: [{ kind: "event_match", key: "room_id", pattern: muted }],
    });
    const quiet = [
      await bob.sendText(muted, "unheard"),
      await alice.sendText(roomId, "her own"),
    ];
    const eventId = await bob.sendText(roomId, "heard");
    const seen: unknown[] = [];
    await gateway.next((push) => {
      seen.push(push["event_id"]);
      return push["event_id"] === eventId;
    });
    expect(quiet.filter((id) => seen.includes(id))).to.deep.equal([]);
  },
);

pushed(
  "tell of mentions with sound and highlight",
  async ({ gateway, alice, bob, roomId }) => {
    const eventId = await bob.send(roomId, "m.room.message", {
      ...{ msgtype: "m.text", body: "hello you" },
      "m.mentions": { user_ids: [alice.userId] },
    });
    const push = await gateway.next(isOf(eventId));
    expect(push["prio"] ?? "high").to.equal("high");
    const [device] = list(push, "devices");
    expect(device?.["tweaks"]).to.deep.include({
      sound: "default",
      highlight: true,
    });
  },
);

pushed("count down when it is read", async (scene) => {
  const { gateway, alice, bob, roomId } = scene;
  const eventId = await bob.sendText(roomId, "hello");
  await gateway.next(isOf(eventId));
  await alice.mustPost(path`/rooms/${roomId}/receipt/m.read/${eventId}`);
  const push = await gateway.next((found) => found["event_id"] === undefined);
  expect(at(push, "counts", "unread") ?? 0).to.equal(0);
});

pushed("end where the gateway refuses the key", async (scene) => {
  const { gateway, alice, bob, roomId } = scene;
  gateway.rejected.add(pushkeyOf(alice));
  await gateway.next(isOf(await bob.sendText(roomId, "hello")));
  const left = await alice.until(
    async () => list(await alice.mustGet("/pushers"), "pushers"),
    (found) => found.length === 0,
  );
  expect(left).to.deep.equal([]);
});
