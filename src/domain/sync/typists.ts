import type { Edges } from "../../edges.ts";
import { listTyping } from "../../storage/sync-extras.ts";
import { groupBy } from "../../util/group-by.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";

type Needs = Pick<Edges, "db" | "memory" | "now">;

const typists = slot(
  () =>
    new WeightedCache<string, Promise<Map<number, string[]>>>(1000, () => 1),
);

/** `m.typing` of rooms as it was at an ephemeral mark, read once for all who are told of the same rooms. */
export async function readTypingEvents(
  edges: Needs,
  roomNids: readonly number[],
  mark: number,
  ignored: ReadonlySet<string> = new Set(),
): Promise<Map<number, object>> {
  if (roomNids.length === 0) return new Map();
  const cache = edges.memory.of(typists);
  const key = `${mark} ${roomNids.join(" ")}`;
  let reading = cache.get(key);
  if (!reading) {
    reading = readTypists(edges.db, roomNids, edges.now());
    cache.set(key, reading);
    reading.catch(() => cache.delete(key));
  }
  const byRoom = await reading;
  return new Map(
    roomNids.map((roomNid) => [
      roomNid,
      typingEvent(
        (byRoom.get(roomNid) ?? []).filter((userId) => !ignored.has(userId)),
      ),
    ]),
  );
}

async function readTypists(
  db: Needs["db"],
  roomNids: readonly number[],
  nowTs: number,
): Promise<Map<number, string[]>> {
  const rows = await listTyping(db, roomNids, nowTs);
  const byRoom = groupBy(rows, ({ roomNid }) => roomNid);
  return new Map(
    [...byRoom].map(([roomNid, typing]) => [
      roomNid,
      typing.map(({ userId }) => userId),
    ]),
  );
}

/** https://spec.matrix.org/v1.19/client-server-api/#mtyping */
export const typingEvent = (userIds: readonly string[]): object => ({
  type: "m.typing",
  content: { user_ids: userIds },
});
