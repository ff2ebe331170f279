import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at, list, text, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import {
  getEvent,
  getMessages,
  getStateEvent,
  publicRoom,
  trySetState,
} from "../harness/rooms.ts";
import { findEvent } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const VERSION = { room_version: "12" };
const TEST = "TestMSC4291RoomIDAsHashOfCreateEvent";

async function expectHashedId(user: User, roomId: string): Promise<void> {
  const event = await getStateEvent(user, roomId, "m.room.create");
  expect(`!${text(event, "event_id").slice(1)}`).to.equal(roomId);
}

row("general", TEST, "", async (server) => {
  const alice = await server.user("alice");
  await expectHashedId(alice, await alice.createRoom(VERSION));
});

row("general", `${TEST}_UpgradedRooms`, "", async (server) => {
  const alice = await server.user("alice");
  for (const room_version of ["12", "11", "10"]) {
    const old = await publicRoom(alice, { room_version });
    const target = path`/rooms/${old}/upgrade`;
    const answer = await alice.mustPost(target, { new_version: "12" });
    const created = text(answer, "replacement_room");
    await expectHashedId(alice, created);
    const tombstone = await alice.getState(old, "m.room.tombstone");
    expect(tombstone["replacement_room"]).to.equal(created);
    const creation = await alice.getState(created, "m.room.create");
    expect(creation["predecessor"]).to.deep.equal({ room_id: old });
  }
});

row("general", `${TEST}_CannotSendCreateEvent`, "", async (server) => {
  const alice = await server.user("alice");
  for (const room_version of ["11", "12"]) {
    const roomId = await alice.createRoom({ room_version });
    const content = { room_version, entropy: 100 };
    expectError(
      await trySetState(alice, roomId, "m.room.create", content),
      400,
    );
  }
});

const create = (events: JsonObject[]) => findEvent(events, "m.room.create", "");

/** Every way in which a client gets the create event, apart from sync. */
async function listCreateEvents(
  user: User,
  roomId: string,
  eventId: string,
): Promise<Record<string, unknown>> {
  const createId = `$${roomId.slice(1)}`;
  const context = (id: string) =>
    user.mustGet(path`/rooms/${roomId}/context/${id}`, { limit: 100 });
  const messages = await getMessages(user, roomId, { dir: "b", limit: 100 });
  const around = await context(eventId);
  return {
    "/state": await getStateEvent(user, roomId, "m.room.create"),
    "/messages": create(list(messages, "chunk")),
    "/event": (await getEvent(user, roomId, createId)).body,
    "/context, itself": at(await context(createId), "event"),
    "/context, before": create(list(around, "events_before")),
    "/context, state": create(list(around, "state")),
    "/state?format=event": await user.mustGet(
      path`/rooms/${roomId}/state/m.room.create/`,
      { format: "event" },
    ),
  };
}

row("general", `${TEST}_RoomIDIsOnCreateEvent`, "", async (server) => {
  const alice = await server.user("alice");
  const roomId = await alice.createRoom(VERSION);
  const eventId = await alice.sendText(roomId, "Hello");
  const found = await listCreateEvents(alice, roomId, eventId);
  for (const [where, event] of Object.entries(found))
    expect(at(event, "room_id"), where).to.equal(roomId);
});
