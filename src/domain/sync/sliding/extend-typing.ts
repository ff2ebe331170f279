import type { Edges } from "../../../edges.ts";
import { listTypingRooms } from "../../../storage/sync-extras.ts";
import { readTypingEvents } from "../typists.ts";

type Needs = Pick<Edges, "db" | "memory" | "notifier" | "now">;

/**
 * The extension `typing` as JSON text: rooms in which somebody began or ceased to type
 * since the mark; in rooms that are new to the client, those in which somebody does.
 * Of the ignored nothing is told.
 * @param rooms ids of joined rooms in scope, by number
 */
export async function extendTyping(
  edges: Needs,
  rooms: ReadonlyMap<number, { roomId: string; isFresh: boolean }>,
  { since, mark }: { since: number | null; mark: number },
  ignored: ReadonlySet<string>,
): Promise<{ text: string; isEmpty: boolean }> {
  const changed = await findChanged(edges, rooms, since, mark);
  changed.sort();
  const events = await readTypingEvents(edges, changed, mark, ignored);
  const entries = [...events].flatMap(([roomNid, event]) => {
    const room = rooms.get(roomNid)!;
    return room.isFresh && !isTyping(event)
      ? []
      : `${JSON.stringify(room.roomId)}:${JSON.stringify(event)}`;
  });
  return {
    text: `{"rooms":{${entries.join(",")}}}`,
    isEmpty: entries.length === 0,
  };
}

async function findChanged(
  { db, notifier }: Needs,
  rooms: ReadonlyMap<number, { isFresh: boolean }>,
  since: number | null,
  mark: number,
): Promise<number[]> {
  const fresh: number[] = [];
  const others: number[] = [];
  for (const [roomNid, { isFresh }] of rooms)
    (isFresh || since === null ? fresh : others).push(roomNid);
  const asked = fresh.map((roomNid) => ({ roomNid, afterMark: 0 }));
  const hints = since === null ? [] : notifier.ephemeralBetween(since, mark);
  if (!hints) {
    for (const roomNid of others)
      asked.push({ roomNid, afterMark: since ?? 0 });
    return listTypingRooms(db, asked);
  }
  const hinted = new Set(
    hints
      .filter(({ users }) => users.length === 0)
      .flatMap((hint) => hint.rooms),
  );
  return [
    ...others.filter((roomNid) => hinted.has(roomNid)),
    ...(await listTypingRooms(db, asked)),
  ];
}

const isTyping = (event: object): boolean =>
  (event as { content: { user_ids: string[] } }).content.user_ids.length > 0;
