import type { JsonObject } from "../../core/json.ts";

/** Where a search may look, as clients name it. */
export type SearchKey = "content.body" | "content.name" | "content.topic";

export const SEARCH_KEYS: readonly SearchKey[] = [
  "content.body",
  "content.name",
  "content.topic",
];

const PLACES: Readonly<Record<string, SearchKey>> = {
  "m.room.message": "content.body",
  "m.room.name": "content.name",
  "m.room.topic": "content.topic",
};

/** The text of an event that is searched; undefined where it has none under these keys. */
export function searchedText(
  { type, content }: { type: string; content: JsonObject },
  keys: readonly SearchKey[] = SEARCH_KEYS,
): string | undefined {
  const key = Object.hasOwn(PLACES, type) ? PLACES[type] : undefined;
  if (key === undefined || !keys.includes(key)) return undefined;
  const text = content[key.slice("content.".length)];
  return typeof text === "string" && text !== "" ? text : undefined;
}
