import type { Edges } from "../../edges.ts";
import { isErasureHeld } from "../../storage/erasures.ts";
import { countMediaOf } from "../../storage/media-admin.ts";
import {
  countOwnEvents,
  countPersonalRows,
  listClasses,
} from "../../storage/personal-rows.ts";
import { getAccountRow } from "../admin/users/account.ts";
import { PERSONAL_TABLES } from "./personal-tables.ts";

export interface ErasurePlan {
  isHeld: boolean;
  /** What would go, and what stays and why. */
  tables: {
    table: string;
    /** The privacy classes of its columns. */
    classes: readonly string[];
    rows: number;
    staysSince?: string;
  }[];
  events: { contents: number; isCut: boolean };
  media: number;
  cannot: string[];
}

/** More of a user's rooms are not looked through for a number. */
const EVENTS_LOOKED_AT = 200_000;

/** What an erasure would destroy. Nothing is changed. */
export async function planErasure(
  { db, settings }: Pick<Edges, "db" | "settings">,
  userId: string,
): Promise<ErasurePlan> {
  await getAccountRow({ db, settings }, userId);
  const [counts, classes, events, media, isHeld] = await Promise.all([
    countPersonalRows(db, userId, PERSONAL_TABLES),
    listClasses(
      db,
      PERSONAL_TABLES.map(({ table }) => table),
    ),
    countOwnEvents(db, userId, EVENTS_LOOKED_AT),
    countMediaOf(db, userId),
    isErasureHeld(db, userId),
  ]);
  return {
    isHeld,
    tables: PERSONAL_TABLES.map(({ table, staysSince }) => ({
      table,
      classes: classes.get(table) ?? [],
      rows: counts.get(table) ?? 0,
      ...(staysSince !== undefined && { staysSince }),
    })),
    events: { contents: events.contents, isCut: events.isCut },
    media,
    cannot: [
      ...(isHeld
        ? ["A legal hold keeps it: nothing is destroyed before."]
        : []),
      ...(events.states > 0
        ? [`${events.states} settings of rooms that they made are the rooms'.`]
        : []),
      ...LIMITS,
    ],
  };
}

/** What is not ours to destroy: each certificate says it. */
export const LIMITS: readonly string[] = [
  "Copies on other servers and on users' devices are not covered; other servers are asked, not forced.",
  "What others wrote or quoted is theirs, also where it speaks of this user, and what their clients put before a reply.",
  "Reasons that this user gave for kicks, bans or invites of others are in those others' membership; settings of rooms that are named after this user, such as a shared location, are the rooms'. Both can still be read.",
  "User IDs, event IDs, room IDs, aliases, times and memberships stay: the rooms' graph is made of them.",
  "Backups of the key table that were made before still open what they were made with, until they are destroyed, which is due within the days of retention.key_backup_days.",
  "Messages to devices that this user sent and that others have not fetched yet are theirs.",
  "What the tables hold in plain, old copies of them show until they are destroyed: IDs of users, devices and rooms, aliases, times, receipts, public keys, sizes and types of files, and of the account its roles, groups, attributes and consents.",
  "What of the account ended with it before the erasure (its profile, settings and devices) stands in plain in old copies of a time when sealing was off.",
  "The server's log names user IDs and addresses for as long as it is kept.",
];
