import type { Edges } from "../../edges.ts";
import type { ClientFilter } from "../../core/filter.ts";
import { listStrippedStates } from "../../storage/stripped-states.ts";
import { readIgnoredInviters } from "../accounts/invite-permission.ts";
import { strippedContext } from "../rooms/invitation.ts";
import type { SyncPlan } from "./room-plan.ts";
import { isRoomWanted } from "./sync-filter.ts";

type Needs = Pick<Edges, "db" | "keyring">;

/** The `invite` and `knock` sections: entries as JSON text. Invites that the user ignores are left out. */
export async function readStrippedRooms(
  { db, keyring }: Needs,
  userId: string,
  plan: SyncPlan,
  filter: ClientFilter,
  ignored: ReadonlySet<string>,
): Promise<{ invite: string[]; knock: string[] }> {
  const isWanted = ({ roomId }: { roomId: string }) =>
    isRoomWanted(filter, roomId);
  const invited = plan.invited.filter(isWanted);
  const knocked = plan.knocked.filter(isWanted);
  const heard = invited.filter(({ sender }) => !ignored.has(sender));
  const isIgnored =
    heard.length > 0
      ? await readIgnoredInviters({ db, keyring }, userId)
      : () => false;
  const shown = heard.filter(({ sender }) => !isIgnored(sender));
  const rooms = [...shown, ...knocked];
  if (rooms.length === 0) return { invite: [], knock: [] };
  const stateOf = await readStrippedTexts(
    { db, keyring },
    userId,
    rooms.map(({ roomNid }) => roomNid),
  );
  const entry = (name: string) => (room: { roomNid: number; roomId: string }) =>
    `${JSON.stringify(room.roomId)}:{"${name}":{"events":${stateOf.get(room.roomNid) ?? "[]"}}}`;
  return {
    invite: shown.map(entry("invite_state")),
    knock: knocked.map(entry("knock_state")),
  };
}

/** What a user is shown of rooms to be invited to or knocked on: lists of events as JSON text. */
export async function readStrippedTexts(
  { db, keyring }: Needs,
  userId: string,
  roomNids: readonly number[],
): Promise<Map<number, string | undefined>> {
  const rows = await listStrippedStates(db, userId, roomNids);
  const texts = await keyring.openAll(
    rows.map(({ keyId, sealed }) => ({
      context: strippedContext(userId),
      keyId,
      sealed,
    })),
  );
  return new Map(rows.map(({ roomNid }, i) => [roomNid, texts[i]]));
}
