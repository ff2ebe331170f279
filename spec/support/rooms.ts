import { expect } from "chai";
import type { Answer, Json, TestClient } from "./server.ts";

/** An event as `/messages`, `/context`, `/event`, `/members` and `/state` give it. */
export interface RoomEvent {
  event_id: string;
  room_id: string;
  type: string;
  sender: string;
  state_key?: string;
  content: Json;
}

export interface Page {
  chunk: RoomEvent[];
  start: string;
  end?: string;
  state?: RoomEvent[];
}

let transactions = 0;

/** The body of an answer that must be 200. */
export function must<Body = Json>(answer: Answer): Body {
  expect(answer.status, answer.text).to.equal(200);
  return answer.body as Body;
}

/** A path of encoded segments: ``path`/rooms/${roomId}/state` ``. */
export const path = (
  texts: TemplateStringsArray,
  ...segments: readonly string[]
): string =>
  texts.reduce(
    (made, text, i) => made + encodeURIComponent(segments[i - 1] ?? "") + text,
  );

export const makeRoom = async (
  user: Pick<TestClient, "post">,
  request: Json = {},
): Promise<string> =>
  must<{ room_id: string }>(await user.post("/createRoom", request)).room_id;

/** A room that anyone may join, with the history visibility given. */
export const makePublicRoom = (
  user: Pick<TestClient, "post">,
  history_visibility = "shared",
): Promise<string> =>
  makeRoom(user, {
    preset: "public_chat",
    initial_state: [
      { type: "m.room.history_visibility", content: { history_visibility } },
    ],
  });

/** A public room of the owner's that the guest has joined. */
export async function makeRoomOfTwo(
  owner: TestClient,
  guest: TestClient,
): Promise<string> {
  const roomId = await makePublicRoom(owner);
  await act(guest, roomId, "join");
  return roomId;
}

export async function send(
  user: TestClient,
  roomId: string,
  type: string,
  content: Json,
): Promise<string> {
  const target = path`/rooms/${roomId}/send/${type}/${`t${transactions++}`}`;
  return must<{ event_id: string }>(await user.put(target, content)).event_id;
}

export const say = (user: TestClient, roomId: string, body: string) =>
  send(user, roomId, "m.room.message", { msgtype: "m.text", body });

export async function setState(
  user: TestClient,
  roomId: string,
  type: string,
  content: Json,
  stateKey = "",
): Promise<string> {
  const target = path`/rooms/${roomId}/state/${type}/${stateKey}`;
  return must<{ event_id: string }>(await user.put(target, content)).event_id;
}

/** join, leave, invite, kick, ban, unban, forget. */
export const act = async (
  user: TestClient,
  roomId: string,
  what: string,
  body: Json = {},
): Promise<Json> =>
  must(await user.post(`${path`/rooms/${roomId}/`}${what}`, body));

export const getMessages = async (
  user: Pick<TestClient, "get">,
  roomId: string,
  query: Record<string, string | number>,
): Promise<Page> => {
  const text = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [
      name,
      String(value),
    ]),
  ).toString();
  return must<Page>(
    await user.get(`${path`/rooms/${roomId}/messages`}?${text}`),
  );
};

/** All that a user gets by paging on until there is no more. */
export async function pageThrough(
  user: Pick<TestClient, "get">,
  roomId: string,
  query: Record<string, string | number>,
): Promise<RoomEvent[]> {
  const events: RoomEvent[] = [];
  let from: { from?: string } = {};
  for (;;) {
    const page = await getMessages(user, roomId, { ...query, ...from });
    events.push(...page.chunk);
    if (page.end === undefined) return events;
    from = { from: page.end };
  }
}

export const idsOf = (events: readonly RoomEvent[]): string[] =>
  events.map((event) => event.event_id);

export const bodiesOf = (events: readonly RoomEvent[]): unknown[] =>
  events
    .filter((event) => event.type === "m.room.message")
    .map((event) => event.content["body"]);
