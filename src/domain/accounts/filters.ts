import { createHmac } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { MatrixError } from "../../core/errors.ts";
import { parseClientFilter } from "../../core/filter.ts";
import type { JsonObject } from "../../core/json.ts";
import { findFilter, storeFilter } from "../../storage/filters.ts";
import { openedSlot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";

/** The oldest of a user's filters make room for new ones. */
const MOST_FILTERS = 100;
const MAX_BYTES = 64 * 1024;

/** Filters never change once they have an id. */
const texts = openedSlot(
  () => new WeightedCache<string, string>(16_000_000, (text) => text.length),
);

const contextOf = (userId: string, filterId: number): string =>
  `filters.sealed ${userId} ${filterId}`;

/** Stores a filter and answers its id; equal filters share one. Throws `M_BAD_JSON`. */
export async function storeUserFilter(
  edges: Pick<Edges, "db" | "keyring" | "nids" | "settings">,
  userId: string,
  filter: JsonObject,
): Promise<string> {
  parseClientFilter(filter);
  const text = canonicalJson(filter);
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new MatrixError("M_TOO_LARGE", "A filter has at most 64 KiB.");
  }
  // Keyed, for filters are few enough to be guessed from a plain hash.
  const hash = createHmac("sha256", edges.settings.password.pepper)
    .update(`filter\n${userId}\n${text}`)
    .digest();
  const [filterId] = await edges.nids.take(1);
  const sealed = await edges.keyring.sealForUser(
    userId,
    contextOf(userId, filterId!),
    text,
  );
  const row = { userId, filterId: filterId!, hash, ...sealed };
  return String(await storeFilter(edges.db, row, MOST_FILTERS));
}

/** Throws `M_NOT_FOUND`. */
export async function getFilter(
  edges: Pick<Edges, "db" | "keyring" | "memory">,
  userId: string,
  filterId: string,
): Promise<JsonObject> {
  const cache = edges.memory.of(texts);
  const key = `${userId} ${filterId}`;
  let text = cache.get(key);
  if (text === undefined) {
    text = await findFilterText(edges, userId, filterId);
    if (text === undefined) {
      throw new MatrixError("M_NOT_FOUND", "There is no such filter.");
    }
    cache.set(key, text);
  }
  return JSON.parse(text) as JsonObject;
}

async function findFilterText(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userId: string,
  filterId: string,
): Promise<string | undefined> {
  if (!/^[1-9][0-9]{0,15}$/.test(filterId)) return undefined;
  const number = Number(filterId);
  const row = await findFilter(db, userId, number);
  if (!row) return undefined;
  const context = contextOf(userId, number);
  const [text] = await keyring.openAll([{ context, ...row }]);
  return text;
}
