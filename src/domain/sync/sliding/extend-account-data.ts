import type { Edges } from "../../../edges.ts";
import { readAccountData } from "../account-data-section.ts";
import type { UserView } from "../user-view.ts";
import type { SentRoom } from "./sent-rooms.ts";
import type { SlidingPos } from "./sliding-pos.ts";

type Needs = Pick<Edges, "db" | "keyring" | "notifier">;

export interface AccountDataNews {
  text: string;
  isEmpty: boolean;
  /** Rooms whose account data changed, and that the answer says nothing of. */
  unsent: number[];
}

/**
 * The extension `account_data` as JSON text: global entries, and those of rooms in scope,
 * all of them where the client was not told of them before.
 * @param rooms what the client knows of the rooms in scope, once it has the answer
 */
export async function extendAccountData(
  edges: Needs,
  userId: string,
  { upTo }: Pick<UserView, "upTo">,
  pos: SlidingPos | null,
  rooms: ReadonlyMap<number, { roomId: string; sent: SentRoom }>,
): Promise<AccountDataNews> {
  const isAnew = !pos?.hasAccountData;
  const after = isAnew ? 0 : pos.position;
  const fresh = [...rooms].flatMap(([roomNid, { sent }]) =>
    sent.hasAccountData ? [] : roomNid,
  );
  const isUntouched =
    !isAnew && upTo >= after && !edges.notifier.isTouched(userId, after);
  if (isUntouched && fresh.length === 0)
    return { text: write([], []), isEmpty: true, unsent: [] };
  const byRoom = await readAccountData(edges, userId, { after, upTo }, fresh);
  const global = byRoom.get(0) ?? [];
  const entries: string[] = [];
  const unsent: number[] = [];
  for (const [roomNid, events] of byRoom) {
    const room = rooms.get(roomNid);
    if (room)
      entries.push(`${JSON.stringify(room.roomId)}:[${events.join(",")}]`);
    else if (roomNid !== 0) unsent.push(roomNid);
  }
  return {
    text: write(global, entries),
    isEmpty: global.length === 0 && entries.length === 0,
    unsent,
  };
}

const write = (global: readonly string[], rooms: readonly string[]): string =>
  `{"global":[${global.join(",")}],"rooms":{${rooms.join(",")}}}`;
