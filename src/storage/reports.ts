import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export type ReportKind = "event" | "room" | "user";

export type ReportRow = {
  reportId: number;
  reporter: string;
  roomId: string | null;
  roomNid: number | null;
  eventId: string | null;
  /** Of the reported event. */
  nid: number | null;
  sender: string | null;
  userId: string | null;
  createdTs: number;
} & Sealed;

export interface ReportSearch {
  kind: ReportKind;
  /** Each of these stands in the id; null for any. */
  reporter: string | null;
  roomId: string | null;
  sender: string | null;
  userId: string | null;
  isDescending: boolean;
  limit: number;
  offset: number;
}

const columns = (sql: Sql) => sql`
  p.report_id, p.reporter, p.room_id, r.room_nid, p.event_id, e.nid, e.sender, p.user_id, p.created_ts,
  p.key_id, p.sealed`;

const joined = (sql: Sql) => sql`
  reports p left join rooms r on r.room_id = p.room_id
  left join events e on e.event_id = p.event_id and e.room_nid = r.room_nid`;

/** A page of the reports of one kind, and how many there are in all. */
export async function listReports(
  sql: Sql,
  search: ReportSearch,
): Promise<{ reports: ReportRow[]; total: number }> {
  const { kind, reporter, roomId, sender, userId, limit, offset } = search;
  const direction = search.isDescending ? sql`desc` : sql`asc`;
  const { rows: reports, total } = await countedPage(
    { limit, offset },
    (at) => sql<(ReportRow & { total: number })[]>`
    select ${columns(sql)}, count(*) over () as total from ${joined(sql)}
    where (case ${kind} when 'event' then p.event_id is not null
        when 'user' then p.user_id is not null
        else p.event_id is null and p.room_id is not null end)
      and (${reporter}::text is null or strpos(p.reporter, ${reporter}) > 0)
      and (${roomId}::text is null or strpos(p.room_id, ${roomId}) > 0)
      and (${sender}::text is null or e.sender = ${sender})
      and (${userId}::text is null or strpos(p.user_id, ${userId}) > 0)
    order by p.created_ts ${direction}, p.report_id ${direction} limit ${at.limit} offset ${at.offset}`,
  );
  return { reports, total };
}

export async function findReport(
  sql: Sql,
  reportId: number,
): Promise<ReportRow | undefined> {
  const [row] = await sql<ReportRow[]>`
    select ${columns(sql)} from ${joined(sql)} where p.report_id = ${reportId}`;
  return row;
}
