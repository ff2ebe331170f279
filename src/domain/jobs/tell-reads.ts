import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import {
  findNextRead,
  findToldSeq,
  listJoinedHere,
  setToldSeq,
} from "../../storage/accesses.ts";
import { findAuditHead } from "../../storage/audit-log.ts";
import { openRecords, type OpenedRecord } from "../admin/open-records.ts";
import { deliverNotice } from "../admin/users/send-notice.ts";
import { READS } from "../privacy/accesses.ts";
import { noticesUserId } from "../rooms/server-notices.ts";
import type { Job } from "./job.ts";

/** Of a larger room its members' own logs tell it. */
const MOST_TOLD = 1_000;

/**
 * Tells users in their room of server notices when an administrator has read what they
 * wrote or did, a record of the audit log at a time. Told again after a crash, it is the
 * same notice.
 */
export const tellReads: Job<Edges> = {
  name: "tell of reads",
  restMs: 5_000,
  async step(edges, lease) {
    const { db, settings } = edges;
    const told = await findToldSeq(db);
    const row =
      told === null || !settings.notifiesReads
        ? undefined
        : await findNextRead(db, READS, told);
    if (!row) {
      const head = (await findAuditHead(db))?.seq ?? 0;
      // What is read while nobody is to be told is told to nobody later.
      if (told === null || (!settings.notifiesReads && head !== told))
        await setToldSeq(db, lease, head);
      return false;
    }
    const [record] = await openRecords(edges, [row]);
    if (record) await tell(edges, record);
    await setToldSeq(db, lease, row.seq);
    return true;
  },
};

async function tell(edges: Edges, record: OpenedRecord): Promise<void> {
  const reader = record.actor["user_id"];
  for (const userId of await listRead(edges, record)) {
    if (userId === reader) continue;
    const notice = {
      ...{ userId, type: "m.room.message", content: contentOf(record) },
      txnId: `read ${record.seq}`,
    };
    const from = { userId: noticesUserId(edges.settings), deviceId: "" };
    await deliverNotice(edges, from, notice).catch((error: unknown) => {
      if (!(error instanceof MatrixError)) throw error;
      edges.log.warn({ err: error }, "Somebody could not be told of a read.");
    });
  }
}

/** Whose data a record says was read; nobody where they were erased. */
async function listRead(
  { db }: Edges,
  { resource }: OpenedRecord,
): Promise<string[]> {
  const { id, type } = resource;
  if (typeof id !== "string" || resource["erased"] === true) return [];
  if (type === "user") return [id];
  return type === "room" ? listJoinedHere(db, id, MOST_TOLD) : [];
}

const textOf = (value: JsonValue | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;

function contentOf({ actor, resource, ...record }: OpenedRecord): JsonObject {
  const { ts, action } = record;
  const caseId = textOf(record["case_id"]);
  const roles = Array.isArray(actor["roles"]) ? actor["roles"].join(", ") : "";
  const roomId =
    resource["type"] === "room" ? textOf(resource["id"]) : undefined;
  const what = roomId === undefined ? "your data" : `the room ${roomId}`;
  const when = typeof ts === "number" ? new Date(ts).toISOString() : "";
  return {
    msgtype: "m.text",
    body: [
      `An administrator (${roles}) has read ${what} at ${when}, by the permission ${String(action)}`,
      caseId === undefined ? "." : `, for the case ${caseId}.`,
      ` 管理员（${roles}）于 ${when} 查阅了${roomId === undefined ? "您的数据" : `房间 ${roomId}`}。`,
    ].join(""),
    "org.myelin.access": {
      ...{ ts: ts ?? null, action: action ?? null },
      ...(caseId !== undefined && { case_id: caseId }),
      ...(roomId !== undefined && { room_id: roomId }),
    },
  };
}
