// Knocking on rooms, and what syncs tell of it.
import { expect } from "chai";
import { type Answer, path } from "./client.ts";
import { at, list, text, type JsonObject } from "./json.ts";
import type { User } from "./user.ts";

export const tryKnock = (
  user: User,
  roomId: string,
  reason?: string,
): Promise<Answer> =>
  user.post(path`/knock/${roomId}`, reason === undefined ? {} : { reason });

export async function knock(
  user: User,
  roomId: string,
  reason?: string,
): Promise<void> {
  const answer = await tryKnock(user, roomId, reason);
  expect(answer.status, answer.raw).to.equal(200);
  expect(text(answer.body, "room_id")).to.equal(roomId);
}

export const knockOf = (sync: JsonObject, roomId: string): unknown =>
  at(sync, "rooms", "knock", roomId);

export const knockState = (sync: JsonObject, roomId: string): JsonObject[] =>
  list(knockOf(sync, roomId), "knock_state", "events");

export const syncKnocked = (
  user: User,
  roomId: string,
  since?: string,
): Promise<JsonObject> =>
  user.syncUntil((sync) => knockOf(sync, roomId) !== undefined, { since });
