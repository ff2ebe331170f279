import { expect } from "chai";
import {
  act,
  bodiesOf,
  getMessages,
  makePublicRoom,
  must,
  path,
  type RoomEvent,
  say,
} from "../../support/rooms.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";
import { withPassword } from "../../support/with-password.ts";

describe("POST /account/deactivate with erase", () => {
  const server = useServer();
  let admin: TestUser;
  let count = 0;

  before(async () => {
    admin = await server.user("admin");
  });

  const erase = async (user: TestUser, erase: boolean) =>
    must(await withPassword(user, "POST", "/account/deactivate", { erase }));

  /** Somebody says something in a public room and goes for good. */
  const tellAndGo = async (isErased: boolean, visibility = "shared") => {
    count += 1;
    const gone = await server.user(`gone${count}`);
    const witness = await server.user(`witness${count}`);
    const late = await server.user(`late${count}`);
    const roomId = await makePublicRoom(admin, visibility);
    await act(gone, roomId, "join");
    const eventId = await say(gone, roomId, "secret");
    await act(witness, roomId, "join");
    await erase(gone, isErased);
    await act(late, roomId, "join");
    const said = async (user: TestUser) =>
      bodiesOf(
        (await getMessages(user, roomId, { dir: "b", limit: 50 })).chunk,
      );
    return { gone, witness, late, roomId, eventId, said };
  };

  it("shows who joins later what a redaction leaves, wherever events are read", async () => {
    const { gone, late, roomId, eventId, said } = await tellAndGo(true);
    expect(await said(late)).to.deep.equal([undefined]);
    const event = must<RoomEvent & Json>(
      await late.get(path`/rooms/${roomId}/event/${eventId}`),
    );
    expect(event).to.include({ sender: gone.userId, type: "m.room.message" });
    expect(event.content).to.deep.equal({});
    const context = must<{ event: RoomEvent }>(
      await late.get(path`/rooms/${roomId}/context/${eventId}`),
    );
    expect(context.event.content).to.deep.equal({});
    const sync = must<{
      rooms: { join: Record<string, { timeline: { events: RoomEvent[] } }> };
    }>(await late.get("/sync"));
    const { timeline } = sync.rooms.join[roomId]!;
    expect(bodiesOf(timeline.events)).to.deep.equal([undefined]);
  });

  it("leaves the events to who could see them before", async () => {
    const { witness, roomId, said } = await tellAndGo(true);
    expect(await said(admin)).to.deep.equal(["secret"]);
    expect(await said(witness)).to.deep.equal(["secret"]);
    await act(witness, roomId, "leave");
    await act(witness, roomId, "join");
    expect(await said(witness)).to.deep.equal(["secret"]);
  });

  it("holds for who only looks into a room that the world may read", async () => {
    const test = await tellAndGo(true, "world_readable");
    const stranger = await server.user("stranger");
    expect(await test.said(stranger)).to.deep.equal([undefined]);
  });

  it("does not give away what it hides beside what came after", async () => {
    const roomId = await makePublicRoom(admin);
    const gone = await server.user("namer");
    const late = await server.user("latecomer");
    await act(gone, roomId, "join");
    const redacted = await say(gone, roomId, "taken back");
    must(
      await gone.put(path`/rooms/${roomId}/redact/${redacted}/${"r1"}`, {
        reason: "my secret",
      }),
    );
    await erase(gone, true);
    await act(late, roomId, "join");
    const event = must<{ unsigned: { redacted_because: RoomEvent } }>(
      await late.get(path`/rooms/${roomId}/event/${redacted}`),
    );
    expect(event.unsigned.redacted_because.content).to.not.have.property(
      "reason",
    );
  });

  it("is not meant by who only deactivates the account", async () => {
    const { late, said } = await tellAndGo(false);
    expect(await said(late)).to.deep.equal(["secret"]);
  });
});
