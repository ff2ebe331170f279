import type { Edges } from "../../../edges.ts";
import type { JsonObject } from "../../../core/json.ts";
import {
  countInvitesSent,
  countRoomsEntered,
  listAllAccountData,
} from "../../../storage/accounts.ts";
import { unescapeText } from "../../../storage/json-text.ts";
import { listMembershipsOf } from "../../../storage/memberships.ts";
import { accountDataContext } from "../../accounts/account-data.ts";
import { listOwnPushers, type PusherView } from "../../push/pushers.ts";
import { PUSH_RULES, pushRulesText } from "../../push/push-rules.ts";
import { listJoinedRooms } from "../../rooms/joined-rooms.ts";
import { getAccountRow } from "./account.ts";

type Reads = Pick<Edges, "db" | "keyring" | "settings">;

export interface KeptAccountData {
  global: Record<string, JsonObject>;
  rooms: Record<string, Record<string, JsonObject>>;
}

/** What somebody's clients keep here, for all rooms and for each. */
export async function readAccountData(
  edges: Reads,
  userId: string,
): Promise<KeptAccountData> {
  await getAccountRow(edges, userId);
  const rows = await listAllAccountData(edges.db, userId);
  const texts = await edges.keyring.openAll(
    rows.map(({ roomNid, type, keyId, sealed }) => ({
      context: accountDataContext(userId, roomNid, unescapeText(type)),
      keyId,
      sealed,
    })),
  );
  const made = (): Record<string, never> =>
    Object.create(null) as Record<string, never>;
  const kept: KeptAccountData = { global: made(), rooms: made() };
  rows.forEach(({ roomId, type: stored }, i) => {
    const text = texts[i];
    if (text === undefined) return;
    const type = unescapeText(stored);
    const isRules = roomId === null && type === PUSH_RULES;
    const json = isRules ? pushRulesText(userId, text) : text;
    const place =
      roomId === null ? kept.global : (kept.rooms[roomId] ??= made());
    place[type] = JSON.parse(json) as JsonObject;
  });
  return kept;
}

export async function readPushers(
  edges: Reads,
  userId: string,
): Promise<PusherView[]> {
  await getAccountRow(edges, userId);
  return listOwnPushers(edges, userId);
}

export async function readJoinedRooms(
  edges: Reads,
  userId: string,
): Promise<string[]> {
  await getAccountRow(edges, userId);
  return listJoinedRooms(edges, userId);
}

/** What somebody is in each room that they have to do with. */
export async function readMemberships(
  edges: Reads,
  userId: string,
): Promise<Map<string, string>> {
  await getAccountRow(edges, userId);
  const rows = await listMembershipsOf(edges.db, userId);
  return new Map(rows.map(({ roomId, membership }) => [roomId, membership]));
}

export async function countSentInvites(
  edges: Reads,
  userId: string,
  fromTs: number,
): Promise<number> {
  await getAccountRow(edges, userId);
  return countInvitesSent(edges.db, userId, fromTs);
}

export async function countEnteredRooms(
  edges: Reads,
  userId: string,
  fromTs: number,
): Promise<number> {
  await getAccountRow(edges, userId);
  return countRoomsEntered(edges.db, userId, fromTs);
}
