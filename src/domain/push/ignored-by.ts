import type { Edges } from "../../edges.ts";
import { openedSlot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { mapIgnoredUsers } from "../accounts/ignored-users.ts";

interface Ignored {
  /** The position at which it is right. */
  at: number;
  users: ReadonlySet<string>;
}

const NOBODY: ReadonlySet<string> = new Set();

const ignoredBy = openedSlot(
  () =>
    new WeightedCache<string, Ignored>(500_000, ({ users }) => 1 + users.size),
);

/** Whom each of the users ignores, with one query for all of whom that is not known. */
export async function readIgnoredBy(
  edges: Pick<Edges, "db" | "keyring" | "memory" | "notifier">,
  userIds: Iterable<string>,
): Promise<Map<string, ReadonlySet<string>>> {
  const { memory, notifier } = edges;
  const cache = memory.of(ignoredBy);
  const found = new Map<string, ReadonlySet<string>>();
  const missing: string[] = [];
  for (const userId of userIds) {
    const known = cache.get(userId);
    if (known && !notifier.isTouched(userId, known.at))
      found.set(userId, known.users);
    else missing.push(userId);
  }
  if (missing.length === 0) return found;
  const at = notifier.position;
  const read = await mapIgnoredUsers(edges, missing);
  for (const userId of missing) {
    const users = read.get(userId) ?? NOBODY;
    cache.set(userId, { at, users });
    found.set(userId, users);
  }
  return found;
}
