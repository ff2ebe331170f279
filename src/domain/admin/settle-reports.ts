import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Edges } from "../../edges.ts";
import {
  findReport,
  listReports,
  type ReportKind,
  type ReportRow,
  type ReportSearch,
} from "../../storage/reports.ts";
import { listRoomHeads } from "../../storage/rooms.ts";
import { assertMayReadRoom } from "../policies/may-act.ts";
import { mapEvents } from "../rooms/event-store.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";
import { noteRead } from "./note-read.ts";
import { readComplaints } from "./reports.ts";
import { readShownFacts } from "./room-facts.ts";

export type { ReportKind };

type Needs = Pick<
  Edges,
  | "committer"
  | "db"
  | "keyring"
  | "memory"
  | "now"
  | "trail"
  | "policies"
  | "asker"
>;

export type FoundReport = Omit<ReportRow, "keyId" | "sealed"> & {
  reason: string | null;
  score: number | null;
  roomName: string | null;
  roomAlias: string | null;
};

const kindOf = ({ eventId, userId }: ReportRow): ReportKind =>
  eventId !== null ? "event" : userId !== null ? "user" : "room";

/** A page of what was reported, with queries that are as many for any number of reports. */
export async function searchReports(
  edges: Needs,
  by: ActingAdministrator,
  search: ReportSearch,
): Promise<{ reports: FoundReport[]; total: number }> {
  const { reports, total } = await listReports(edges.db, search);
  noteRead(edges, by, "reports", { kind: search.kind });
  const { userId } = by.requester;
  return { reports: await describe(edges, userId, reports), total };
}

/** A report, and the event that it is about as the server has it. @throws MatrixError M_NOT_FOUND */
export async function readReport(
  edges: Needs,
  by: ActingAdministrator,
  kind: ReportKind,
  reportId: number,
): Promise<{ report: FoundReport; event: JsonObject | null }> {
  const row = await getReport(edges, kind, reportId);
  noteRead(edges, by, `report ${reportId}`);
  if (row.roomNid !== null)
    await assertMayReadRoom(edges, by.requester.userId, row.roomNid);
  const [report] = await describe(edges, by.requester.userId, [row]);
  const events = await mapEvents(edges, row.nid === null ? [] : [row.nid]);
  const event = row.nid === null ? undefined : events.get(row.nid);
  const shown = event && {
    ...event.pdu,
    event_id: event.eventId,
    room_id: event.room.roomId,
  };
  return { report: report!, event: (shown as JsonObject | undefined) ?? null };
}

/** Takes a report off the list. @throws MatrixError M_NOT_FOUND */
export async function deleteReport(
  edges: Needs,
  by: ActingAdministrator,
  kind: ReportKind,
  reportId: number,
): Promise<void> {
  await getReport(edges, kind, reportId);
  await edges.committer.commit({
    positions: 1,
    rows: { removedReports: [{ reportId }] },
    audit: [recordOf(by, `report ${reportId}`, edges.now())],
  });
}

async function getReport(
  { db }: Pick<Edges, "db">,
  kind: ReportKind,
  reportId: number,
): Promise<ReportRow> {
  const row = await findReport(db, reportId);
  if (row && kindOf(row) === kind) return row;
  throw new MatrixError("M_NOT_FOUND", "There is no such report.");
}

async function describe(
  edges: Needs,
  userId: string,
  rows: readonly ReportRow[],
): Promise<FoundReport[]> {
  const complaints = await readComplaints(edges, rows);
  const roomNids = [...new Set(rows.flatMap(({ roomNid }) => roomNid ?? []))];
  const rooms = await listRoomHeads(edges.db, roomNids);
  const facts = await readShownFacts(edges, userId, rooms);
  const byRoom = new Map(rooms.map(({ roomNid }, i) => [roomNid, facts[i]]));
  return rows.map(({ keyId: _key, sealed: _sealed, ...row }, i) => {
    const complaint = complaints[i];
    const of = byRoom.get(row.roomNid ?? 0);
    return {
      ...row,
      reason: complaint?.reason ?? null,
      score: complaint?.score ?? null,
      roomName: of?.name ?? null,
      roomAlias: of?.canonicalAlias ?? null,
    };
  });
}
