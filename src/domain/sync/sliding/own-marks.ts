import type { Edges } from "../../../edges.ts";
import { isJsonObject, type JsonValue } from "../../../core/json.ts";
import { listAccountDataOfRooms } from "../../../storage/account-data.ts";
import { openedSlot } from "../../../util/process-memory.ts";
import { WeightedCache } from "../../../util/weighted-cache.ts";
import {
  accountDataContext,
  findAccountDataText,
} from "../../accounts/account-data.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier">;

interface Kept<T> {
  /** The position at which it is right. */
  at: number;
  value: T;
}

const MOST_KEPT = 200_000;
const weigh = ({ value }: Kept<{ size: number }>): number => 1 + value.size;

const directs = openedSlot(
  () => new WeightedCache<string, Kept<ReadonlySet<string>>>(MOST_KEPT, weigh),
);
const tags = openedSlot(
  () =>
    new WeightedCache<string, Kept<ReadonlyMap<number, ReadonlySet<string>>>>(
      MOST_KEPT,
      weigh,
    ),
);

/** The ids of the rooms that a user has marked as direct ones. */
export const readDirectRooms = (
  edges: Needs,
  userId: string,
  upTo: number,
): Promise<ReadonlySet<string>> =>
  readOnce(edges, edges.memory.of(directs), userId, upTo, async () => {
    const text = await findAccountDataText(edges, userId, 0, "m.direct");
    const content = text === undefined ? {} : (JSON.parse(text) as JsonValue);
    const lists = isJsonObject(content) ? Object.values(content) : [];
    return new Set(
      lists
        .flatMap((list) => (Array.isArray(list) ? list : []))
        .filter((roomId) => typeof roomId === "string"),
    );
  });

/** The tags that a user has given to rooms. */
export const readTags = (
  edges: Needs,
  userId: string,
  upTo: number,
): Promise<ReadonlyMap<number, ReadonlySet<string>>> =>
  readOnce(edges, edges.memory.of(tags), userId, upTo, async () => {
    const { db, keyring } = edges;
    const rows = await listAccountDataOfRooms(db, userId, "m.tag");
    const texts = await keyring.openAll(
      rows.map(({ roomNid, keyId, sealed }) => ({
        context: accountDataContext(userId, roomNid, "m.tag"),
        keyId,
        sealed,
      })),
    );
    return new Map(
      rows.map(({ roomNid }, i) => [roomNid, tagsOf(texts[i])] as const),
    );
  });

function tagsOf(text: string | undefined): ReadonlySet<string> {
  const content = text === undefined ? null : (JSON.parse(text) as JsonValue);
  const given = isJsonObject(content) ? content["tags"] : undefined;
  return new Set(isJsonObject(given) ? Object.keys(given) : []);
}

/** From memory while nothing has touched the user. */
async function readOnce<T>(
  { notifier }: Needs,
  cache: WeightedCache<string, Kept<T>>,
  userId: string,
  upTo: number,
  read: () => Promise<T>,
): Promise<T> {
  const known = cache.get(userId);
  if (known && !notifier.isTouched(userId, known.at)) {
    known.at = Math.max(known.at, upTo);
    return known.value;
  }
  const value = await read();
  cache.set(userId, { at: upTo, value });
  return value;
}
