import type { Edges } from "../../edges.ts";
import { listSpaceLinks } from "../../storage/authority.ts";
import { mapEvents } from "../rooms/event-store.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/**
 * Whether a room is in one of the spaces, or in a space within it. Each step is one that
 * both say: the space by `m.space.child`, what is in it by `m.space.parent`.
 */
export async function isInSpaces(
  edges: Needs,
  roomId: string,
  spaces: readonly string[],
): Promise<boolean> {
  const links = await listSpaceLinks(edges.db, roomId);
  const said = await mapEvents(
    edges,
    links.flatMap(({ parentNid, childNid }) => [parentNid, childNid]),
  );
  const agreed = links.filter(
    ({ parentNid, childNid }) =>
      isSpaceLink(said.get(parentNid)) && isSpaceLink(said.get(childNid)),
  );
  const reached = new Set([roomId]);
  for (const room of reached) {
    for (const link of agreed)
      if (link.roomId === room) reached.add(link.spaceId);
  }
  reached.delete(roomId);
  return spaces.some((space) => reached.has(space));
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
