import type { Edges } from "../../edges.ts";
import type { ClientFilter } from "../../core/filter.ts";
import { listPresence } from "../../storage/sync-extras.ts";
import { presenceContent, presenceContext } from "../accounts/presence.ts";
import { readMemberProfiles } from "../rooms/member-profiles.ts";
import { changedRooms, type SyncPlan } from "./room-plan.ts";
import { allowsEvent } from "./sync-filter.ts";

type Needs = Pick<Edges, "db" | "keyring" | "now" | "settings">;

/** Presence events of those who share a room with the user, and are not ignored. */
export async function readPresence(
  { db, keyring, now, settings }: Needs,
  userId: string,
  plan: SyncPlan,
  after: { mark: number; position: number },
  filter: ClientFilter,
  ignored: ReadonlySet<string> = new Set(),
): Promise<object[]> {
  if (!settings.presenceEnabled) return [];
  const found = await listPresence(
    db,
    userId,
    {
      joined: plan.joined.map(({ roomNid }) => roomNid),
      newlyJoined: plan.newlyJoined,
      changed: changedRooms(plan),
    },
    after,
  );
  const rows = found.filter((row) => !ignored.has(row.userId));
  const sealed = rows.filter(
    (row): row is typeof row & { statusSealed: Uint8Array } =>
      row.statusSealed !== null,
  );
  const texts = await keyring.openAll(
    sealed.map((row) => ({
      context: presenceContext(row.userId),
      keyId: row.statusKey,
      sealed: row.statusSealed,
    })),
  );
  // A first sync has names and avatars in its member events.
  const profileOf =
    after.position === 0
      ? () => ({})
      : await readMemberProfiles(
          { db, keyring },
          rows.map((row) => row.userId),
        );
  const statusOf = new Map(sealed.map((row, i) => [row.userId, texts[i]]));
  return rows
    .map((row) => ({
      type: "m.presence",
      sender: row.userId,
      content: {
        ...presenceContent(row, statusOf.get(row.userId), now()),
        ...profileOf(row.userId),
      },
    }))
    .filter((event) => allowsEvent(filter.presence, event));
}
