import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import {
  act,
  bringIn,
  idsOf,
  mustAct,
  pageThrough,
  publicRoom,
  syncLeft,
  tryJoin,
} from "../harness/rooms.ts";
import { isLeftIn } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const INCLUDE_LEAVE = { room: { include_leave: true } };

const forget = (
  name: string,
  run: (alice: User, bob: User) => Promise<void>,
) => {
  row("csapi", "TestRoomForget", `Parallel/${name}`, async (server) =>
    run(await server.user("alice"), await server.user("bob")),
  );
};

const sectionsOf = (sync: unknown, roomId: string) =>
  ["join", "invite", "leave", "knock"].filter(
    (section) => at(sync, "rooms", section, roomId) !== undefined,
  );

forget("Can't forget room you're still in", async (alice) => {
  const roomId = await alice.createRoom({ preset: "private_chat" });
  expectError(await act(alice, roomId, "forget"), 400, "M_UNKNOWN");
});

forget("Forgotten room messages cannot be paginated", async (alice, bob) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  await alice.sendText(roomId, "Hello world!");
  await alice.leave(roomId);
  await mustAct(alice, roomId, "forget");
  const target = path`/rooms/${roomId}/messages`;
  expectError(await alice.get(target, { dir: "b" }), 403, "M_FORBIDDEN");
});

forget(
  "Forgetting room does not show up in v2 initial /sync",
  async (alice, bob) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    await alice.leave(roomId);
    await mustAct(alice, roomId, "forget");
    await bob.sendText(roomId, "Hello world!");
    const sync = await alice.sync({ filter: INCLUDE_LEAVE });
    expect(sectionsOf(sync, roomId)).to.deep.equal([]);
  },
);

forget(
  "Leave for forgotten room shows up in v2 incremental /sync",
  async (alice, bob) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    const since = await alice.syncToken();
    await alice.leave(roomId);
    await mustAct(alice, roomId, "forget");
    await bob.sendText(roomId, "Hello world!");
    const sync = await alice.sync({ since, filter: INCLUDE_LEAVE });
    expect(isLeftIn(sync, roomId)).to.equal(true);
  },
);

forget("Can forget room you've been kicked from", async (alice, bob) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const since = await bob.syncToken();
  await mustAct(alice, roomId, "kick", { user_id: bob.userId });
  await syncLeft(bob, roomId, since);
  await mustAct(bob, roomId, "forget");
  const sync = await bob.sync({ filter: INCLUDE_LEAVE });
  expect(sectionsOf(sync, roomId)).to.deep.equal([]);
});

forget("Can re-join room if re-invited", async (alice, bob) => {
  const roomId = await alice.createRoom({ preset: "private_chat" });
  await bringIn(alice, roomId, bob);
  const before = await alice.sendText(roomId, "Before leave");
  await bob.leave(roomId);
  await mustAct(bob, roomId, "forget");
  expectError(await tryJoin(bob, roomId), 403, "M_FORBIDDEN");
  await bringIn(alice, roomId, bob);
  const after = await alice.sendText(roomId, "After rejoin");
  const seen = idsOf(await pageThrough(bob, roomId, { dir: "b", limit: 100 }));
  expect(seen).to.include.members([before, after]);
});

forget("Can forget room we weren't an actual member", async (alice, bob) => {
  const roomId = await alice.createRoom({ preset: "private_chat" });
  await alice.invite(roomId, bob.userId);
  await bob.leave(roomId);
  await mustAct(bob, roomId, "forget");
  await alice.leave(roomId);
  await mustAct(alice, roomId, "forget");
});
