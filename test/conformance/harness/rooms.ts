// What tests of rooms do again and again.
import { type Answer, path } from "./client.ts";
import { at, isObject, list, object, text, type JsonObject } from "./json.ts";
import { isInvitedIn, isJoinedIn, isLeftIn } from "./sync.ts";
import type { User } from "./user.ts";

export const publicRoom = (
  user: User,
  body: JsonObject = {},
): Promise<string> => user.createRoom({ preset: "public_chat", ...body });

export const stateOf = (
  type: string,
  content: JsonObject,
  stateKey = "",
): JsonObject => ({ type, state_key: stateKey, content });

/** A public room whose history is visible to these from the beginning. */
export const roomWithHistory = (
  user: User,
  history_visibility: string,
): Promise<string> =>
  publicRoom(user, {
    initial_state: [
      stateOf("m.room.history_visibility", { history_visibility }),
    ],
  });

/** The whole current state, from GET /rooms/{roomId}/state. */
export async function listState(
  user: User,
  roomId: string,
): Promise<JsonObject[]> {
  const answer = await user.get(path`/rooms/${roomId}/state`);
  const parsed: unknown = JSON.parse(answer.raw);
  if (answer.status !== 200 || !Array.isArray(parsed))
    throw new Error(`no state: ${answer.status} ${answer.raw}`);
  return parsed.filter(isObject);
}

/** The full event of one current state event. */
export async function getStateEvent(
  user: User,
  roomId: string,
  type: string,
  stateKey = "",
): Promise<JsonObject> {
  const found = (await listState(user, roomId)).find(
    (event) => event["type"] === type && event["state_key"] === stateKey,
  );
  if (found === undefined) throw new Error(`no ${type} in the state`);
  return found;
}

export async function membershipOf(
  user: User,
  roomId: string,
  userId = user.userId,
): Promise<string> {
  return text(
    await user.getState(roomId, "m.room.member", userId),
    "membership",
  );
}

export const act = (
  user: User,
  roomId: string,
  action: "ban" | "forget" | "invite" | "kick" | "leave" | "unban",
  body: JsonObject = {},
): Promise<Answer> => user.post(`${path`/rooms/${roomId}`}/${action}`, body);

/** As `act`, but it must succeed. */
export async function mustAct(
  ...args: Parameters<typeof act>
): Promise<JsonObject> {
  const answer = await act(...args);
  if (answer.status !== 200)
    throw new Error(`${args[2]}: ${answer.status} ${answer.raw}`);
  return answer.body;
}

export const tryJoin = (user: User, room: string): Promise<Answer> =>
  user.post(path`/join/${room}`);

export const trySetState = (
  user: User,
  roomId: string,
  type: string,
  content: unknown,
  stateKey = "",
): Promise<Answer> =>
  user.put(path`/rooms/${roomId}/state/${type}/${stateKey}`, content);

export const getEvent = (
  user: User,
  roomId: string,
  eventId: string,
): Promise<Answer> => user.get(path`/rooms/${roomId}/event/${eventId}`);

export const getMessages = (
  user: User,
  roomId: string,
  query: {
    dir: "b" | "f";
    from?: string;
    to?: string;
    limit?: number;
    filter?: string;
  },
): Promise<JsonObject> => user.mustGet(path`/rooms/${roomId}/messages`, query);

/** Every event that /messages gives from here to where it ends, in the order it gives them. */
export async function pageThrough(
  user: User,
  roomId: string,
  query: Parameters<typeof getMessages>[2],
): Promise<JsonObject[]> {
  const events: JsonObject[] = [];
  const page = { ...query };
  for (let turn = 0; turn < 100; turn++) {
    const body = await getMessages(user, roomId, page);
    events.push(...list(body, "chunk"));
    const end = at(body, "end");
    if (typeof end !== "string") return events;
    page.from = end;
  }
  throw new Error("/messages never ended");
}

/** Sends these texts, one after the other, and returns the ids of their events. */
export async function sendTexts(
  user: User,
  roomId: string,
  ...texts: string[]
): Promise<string[]> {
  const ids: string[] = [];
  for (const body of texts) ids.push(await user.sendText(roomId, body));
  return ids;
}

export const numbered = (word: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${word} ${index + 1}`);

export const bodies = (events: JsonObject[]): unknown[] =>
  events
    .map((event) => at(event, "content", "body"))
    .filter((body) => body !== undefined);

export const idsOf = (events: JsonObject[]): string[] =>
  events.map((event) => text(event, "event_id"));

export const typesOf = (events: JsonObject[]): string[] =>
  events.map((event) => text(event, "type"));

/** The state keys of the member events among these, sorted. */
export const membersIn = (events: JsonObject[]): string[] =>
  events
    .filter((event) => event["type"] === "m.room.member")
    .map((event) => text(event, "state_key"))
    .toSorted();

export const createFilter = async (
  user: User,
  filter: JsonObject,
): Promise<string> =>
  text(
    await user.mustPost(path`/user/${user.userId}/filter`, filter),
    "filter_id",
  );

/** Invites somebody, who then joins. */
export async function bringIn(
  host: User,
  roomId: string,
  guest: User,
): Promise<void> {
  await host.invite(roomId, guest.userId);
  await guest.join(roomId);
}

export const syncJoined = (
  user: User,
  roomId: string,
  since?: string,
): Promise<JsonObject> =>
  user.syncUntil((sync) => isJoinedIn(sync, roomId), { since });

export const syncInvited = (
  user: User,
  roomId: string,
  since?: string,
): Promise<JsonObject> =>
  user.syncUntil((sync) => isInvitedIn(sync, roomId), { since });

export const syncLeft = (
  user: User,
  roomId: string,
  since?: string,
): Promise<JsonObject> =>
  user.syncUntil((sync) => isLeftIn(sync, roomId), { since });

export const nextBatch = (sync: JsonObject): string => text(sync, "next_batch");

/** Power levels in which these users have a level of their own, for rooms before version 12. */
export const levels = (
  users: Record<string, number>,
  rest: JsonObject = {},
): JsonObject => ({ users, ...rest });

async function lookInDirectory(
  user: User,
  roomId: string,
): Promise<JsonObject | undefined> {
  let since: string | undefined;
  do {
    const page = await user.mustGet("/publicRooms", { limit: 500, since });
    const found = list(page, "chunk").find(
      (room) => room["room_id"] === roomId,
    );
    if (found !== undefined) return found;
    const next = at(page, "next_batch");
    since = typeof next === "string" ? next : undefined;
  } while (since !== undefined);
  return undefined;
}

/** The entry of a room in the public directory, wherever in its pages; a server may be late to write it. */
export const findInDirectory = (
  user: User,
  roomId: string,
  isWanted: (entry: JsonObject | undefined) => boolean = (entry) =>
    entry !== undefined,
): Promise<JsonObject | undefined> =>
  user.until(() => lookInDirectory(user, roomId), isWanted);

/** Makes an alias on the user's own server, unlike any other. */
export const newAlias = (user: User, name: string): string =>
  `#${name}-${user.localpart}:${user.serverName}`;

export const setAlias = (
  user: User,
  alias: string,
  roomId: string,
): Promise<Answer> =>
  user.put(path`/directory/room/${alias}`, { room_id: roomId });

export const aliasTarget = async (
  user: User,
  alias: string,
): Promise<unknown> =>
  at(await user.mustGet(path`/directory/room/${alias}`), "room_id");

export const contentOf = (event: JsonObject): JsonObject =>
  object(event, "content");
