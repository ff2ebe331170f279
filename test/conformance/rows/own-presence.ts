import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { ownRows } from "../harness/own-rows.ts";
import { publicRoom } from "../harness/rooms.ts";

const presences = ownRows("presence");

presences("of strangers is not told", async ({ alice, bob }) => {
  const target = path`/presence/${bob.userId}/status`;
  expectError(await alice.get(target), 403, "M_FORBIDDEN");
});

presences("is set by oneself alone", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const target = path`/presence/${bob.userId}/status`;
  const answer = await alice.put(target, { presence: "offline" });
  expectError(answer, 403, "M_FORBIDDEN");
});

presences("takes no other words", async ({ alice }) => {
  const target = path`/presence/${alice.userId}/status`;
  expectError(await alice.put(target, { presence: "asleep" }), 400);
});

presences(
  "a message of one's own stays until it is changed",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    const target = path`/presence/${alice.userId}/status`;
    await alice.mustPut(target, { presence: "online", status_msg: "at lunch" });
    expect((await bob.mustGet(target))["status_msg"]).to.equal("at lunch");
    await alice.mustPut(target, { presence: "online" });
    expect(await bob.mustGet(target)).to.not.have.property("status_msg");
  },
);
