import type { ChosenRooms } from "./chosen-rooms.ts";
import type { ExtensionScope } from "./sliding-request.ts";

const ALL = "*";

/** The rooms that an extension tells of: those of the lists and subscriptions that it names. */
export function roomsInScope(
  { lists, rooms }: ExtensionScope,
  chosen: ChosenRooms,
): ReadonlySet<number> {
  const isWhole = lists.includes(ALL) && rooms.includes(ALL);
  if (isWhole) return new Set(chosen.rooms.keys());
  const names = lists.includes(ALL) ? [...chosen.windows.keys()] : lists;
  const subscribed = rooms.includes(ALL)
    ? [...chosen.subscribed.values()]
    : rooms.flatMap((roomId) => chosen.subscribed.get(roomId) ?? []);
  return new Set([
    ...names.flatMap((name) => chosen.windows.get(name) ?? []),
    ...subscribed,
  ]);
}
