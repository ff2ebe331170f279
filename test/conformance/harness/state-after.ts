// `use_state_after`, by the name that MSC4222 gave it too: servers knew it by that one first.
import { at, list, type JsonObject } from "./json.ts";
import type { User } from "./user.ts";

const UNSTABLE = "org.matrix.msc4222";

/** A sync whose rooms tell the state at the end of their timelines. */
export const syncStateAfter = (
  user: User,
  query: { filter?: JsonObject; since?: string; full_state?: boolean } = {},
): Promise<JsonObject> =>
  user.mustGet("/sync", {
    timeout: 0,
    ...query,
    filter: query.filter && JSON.stringify(query.filter),
    use_state_after: true,
    [`${UNSTABLE}.use_state_after`]: true,
  });

/** The events of a room's `state_after`; throws where there is none. */
export function stateAfterOf(
  sync: JsonObject,
  roomId: string,
  section = "join",
): JsonObject[] {
  const room = at(sync, "rooms", section, roomId);
  const found = ["state_after", `${UNSTABLE}.state_after`].find(
    (name) => at(room, name) !== undefined,
  );
  if (found === undefined) throw new Error("the room has no state_after");
  return list(room, found, "events");
}
