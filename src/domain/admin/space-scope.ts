import type { Edges } from "../../edges.ts";
import { listSpaceLinks } from "../../storage/authority.ts";
import { mapEvents } from "../rooms/event-store.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** Whether a room is in one of the spaces, or in a space within it. */
export async function isInSpaces(
  edges: Needs,
  roomId: string,
  spaces: readonly string[],
): Promise<boolean> {
  const reached = (await readSpaces(edges, [roomId])).get(roomId);
  return spaces.some((space) => reached?.has(space));
}

/**
 * The spaces that each room is in, and those that these are in. Each step is one that
 * both say: the space by `m.space.child`, what is in it by `m.space.parent`.
 */
export async function readSpaces(
  edges: Needs,
  roomIds: readonly string[],
): Promise<Map<string, ReadonlySet<string>>> {
  const links = await listSpaceLinks(edges.db, roomIds);
  const said = await mapEvents(
    edges,
    links.flatMap(({ parentNid, childNid }) => [parentNid, childNid]),
  );
  const above = new Map<string, string[]>();
  for (const { roomId, spaceId, parentNid, childNid } of links) {
    if (!isSpaceLink(said.get(parentNid)) || !isSpaceLink(said.get(childNid)))
      continue;
    const known = above.get(roomId);
    if (known) known.push(spaceId);
    else above.set(roomId, [spaceId]);
  }
  return new Map(
    roomIds.map((roomId) => {
      const reached = new Set([roomId]);
      for (const room of reached)
        for (const space of above.get(room) ?? []) reached.add(space);
      reached.delete(roomId);
      return [roomId, reached];
    }),
  );
}

/** "Children where via is not present or invalid (not an array) are ignored." */
export function isSpaceLink(event: StoredEvent | undefined): boolean {
  const via = event?.pdu.content["via"];
  return (
    Array.isArray(via) &&
    via.length > 0 &&
    via.every((server) => typeof server === "string")
  );
}
