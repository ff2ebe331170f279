import type { Edges } from "../../edges.ts";
import type { JsonValue } from "../../core/json.ts";
import { listAccesses, listRoomIdsOf } from "../../storage/accesses.ts";
import { openRecords } from "../admin/open-records.ts";
import { PERMISSIONS, type PermissionName } from "../admin/permissions.ts";
import { filterOf } from "../admin/read-audit.ts";

/** What reads what people wrote or did, and of whom it can be said. */
export const READS: readonly PermissionName[] = (
  Object.keys(PERMISSIONS) as PermissionName[]
).filter(
  (name) =>
    PERMISSIONS[name].class.includes("P") && PERMISSIONS[name].on !== "server",
);

/** One read by an administrator; nobody is told who it was, but in which role. */
export interface Access {
  seq: number;
  ts: JsonValue;
  /** The permission by which it was done. */
  action: JsonValue;
  roles: JsonValue;
  /** What the reader wrote of why is not told: it may speak of others. */
  caseId?: JsonValue;
  /** Of a room that the user is or was in. */
  roomId?: JsonValue;
}

const MOST_ROOMS = 10_000;

/** When administrators read what somebody wrote or did, the newest first. */
export async function readAccesses(
  edges: Pick<Edges, "db" | "keyring">,
  userId: string,
  { before, limit }: { before: number; limit: number },
): Promise<Access[]> {
  const { resourceId } = await filterOf(edges, { target: userId });
  if (resourceId === null) return [];
  const rooms = await listRoomIdsOf(edges.db, userId, MOST_ROOMS);
  const rows = await listAccesses(edges.db, {
    ...{ actions: READS, resourceIds: [resourceId, ...rooms] },
    ...{ exceptActor: resourceId, before, limit },
  });
  const records = await openRecords(edges, rows);
  return records.map(({ seq, actor, resource, ...record }) => {
    const { ts, action, case_id: caseId } = record;
    const isOfRoom = resource["type"] === "room";
    return {
      seq,
      ts: ts ?? null,
      action: action ?? null,
      roles: actor["roles"] ?? [],
      ...(caseId !== undefined && { caseId }),
      ...(isOfRoom &&
        resource["id"] !== undefined && { roomId: resource["id"] }),
    };
  });
}
