import type { Account } from "./account.ts";
import { must, type Answer, type Question } from "./http.ts";

const V3 = "/_matrix/client/v3";

export async function createRoom(account: Account): Promise<string> {
  const { room_id } = await must<{ room_id: string }>(account.http, {
    method: "POST",
    path: `${V3}/createRoom`,
    token: account.token,
    body: { preset: "public_chat" },
  });
  return room_id;
}

export const joinQuestion = (account: Account, roomId: string): Question => ({
  method: "POST",
  path: `${V3}/rooms/${encodeURIComponent(roomId)}/join`,
  token: account.token,
  body: {},
});

export async function joinRoom(
  account: Account,
  roomId: string,
): Promise<void> {
  await must(account.http, joinQuestion(account, roomId));
}

/** `label` is the text and the transaction, so that a reader finds it again. */
export const putMessage = (
  account: Account,
  roomId: string,
  label: string,
): Promise<Answer> =>
  account.http.ask({
    method: "PUT",
    path: `${V3}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${label}`,
    token: account.token,
    body: { msgtype: "m.text", body: label },
  });

export interface TimelineEvent {
  event_id: string;
  sender: string;
  type: string;
  content: { body?: unknown };
}

export interface Page {
  chunk: TimelineEvent[];
  end?: string;
}

export interface PageRequest {
  readonly dir: "b" | "f";
  readonly limit: number;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export function messagesQuestion(
  account: Account,
  roomId: string,
  { dir, limit, from, to }: PageRequest,
): Question {
  const query = new URLSearchParams({ dir, limit: String(limit) });
  if (from !== undefined) query.set("from", from);
  if (to !== undefined) query.set("to", to);
  return {
    method: "GET",
    path: `${V3}/rooms/${encodeURIComponent(roomId)}/messages?${query.toString()}`,
    token: account.token,
  };
}

/** The token of the place before an event, towards the beginning of the room. */
export async function tokenAt(
  account: Account,
  roomId: string,
  eventId: string,
): Promise<string> {
  const { start } = await must<{ start: string }>(account.http, {
    method: "GET",
    path: `${V3}/rooms/${encodeURIComponent(roomId)}/context/${encodeURIComponent(eventId)}?limit=0`,
    token: account.token,
  });
  return start;
}

export const readPage = (
  account: Account,
  roomId: string,
  request: PageRequest,
): Promise<Page> =>
  must(account.http, messagesQuestion(account, roomId, request));
