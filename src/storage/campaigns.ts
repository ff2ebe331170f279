import { heldJob, type AdminJobState, type JobClaim } from "./admin-jobs.ts";
import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";

export type AudienceKind = "all" | "group" | "users";

export interface CampaignRow {
  campaignId: string;
  name: string;
  jobId: string;
  state: "open" | "closed" | "cancelled";
  /** Null where the task is forgotten. */
  jobState: AdminJobState | null;
  audienceKind: AudienceKind;
  audienceId: string;
  /** JSON. */
  content: string;
  reminder: string;
  remindAfterMs: number | null;
  mostReminders: number;
  closesTs: number;
  createdBy: string;
  createdTs: number;
  endedTs: number | null;
}

const columns = (sql: Sql) => sql`
  c.campaign_id, c.name, c.job_id, c.state, j.state as job_state, c.audience_kind, c.audience_id, c.content, c.reminder,
  c.remind_after_ms, c.most_reminders, c.closes_ts, c.created_by, c.created_ts, c.ended_ts`;

interface Page {
  offset: number;
  limit: number;
  isDescending: boolean;
}

/** A page of the campaigns, and how many there are in all. */
export async function listCampaigns(
  sql: Sql,
  { offset, limit, isDescending }: Page,
): Promise<{ campaigns: CampaignRow[]; total: number }> {
  const order = isDescending ? sql`desc` : sql`asc`;
  const { rows: campaigns, total } = await countedPage(
    { limit, offset },
    (at) => sql<(CampaignRow & { total: number })[]>`
    select ${columns(sql)}, count(*) over () as total
    from campaigns c left join admin_jobs j on j.job_id = c.job_id
    order by c.created_ts ${order}, c.campaign_id ${order} limit ${at.limit} offset ${at.offset}`,
  );
  return { campaigns, total };
}

export async function findCampaign(
  sql: Sql,
  campaignId: string,
): Promise<CampaignRow | undefined> {
  const [row] = await sql<CampaignRow[]>`
    select ${columns(sql)} from campaigns c left join admin_jobs j on j.job_id = c.job_id
    where c.campaign_id = ${campaignId}`;
  return row;
}

export async function findCampaignOfJob(
  sql: Sql,
  jobId: string,
): Promise<(CampaignRow & { isOver: boolean }) | undefined> {
  const [row] = await sql<(CampaignRow & { isOver: boolean })[]>`
    select ${columns(sql)}, c.closes_ts <= database_ms() as is_over
    from campaigns c left join admin_jobs j on j.job_id = c.job_id
    where c.job_id = ${jobId}`;
  return row;
}

/**
 * What a member's answer has come to: a reaction to the notice or to its last reminder is
 * one. That somebody has read as far is known where they let others know.
 */
const answers = (sql: Sql) => sql`
  lateral (
    select
      (select min(e.received_ts) from events e
        where e.room_nid = m.room_nid and e.relates_to in (m.event_id, m.reminder_id) and e.rel_type = 'm.annotation'
          and e.sender = m.user_id and e.status = 0 and e.redacted_by is null) as acknowledged_ts,
      (select min(r.receipt_ts) from receipts r
        where r.room_nid = m.room_nid and r.user_id = m.user_id and r.receipt_type = 'm.read'
          and r.event_position >= m.event_position) as seen_ts
    where m.sent_ts is not null and m.acknowledged_ts is null)`;

/** Members with what is noted of them, and what they have answered since. */
const standing = (sql: Sql, campaignId: string) => sql`
  select m.user_id, m.sent_ts, m.event_id, m.reminders, m.errcode,
    coalesce(m.acknowledged_ts, a.acknowledged_ts) as acknowledged_ts,
    coalesce(m.seen_ts, a.seen_ts, a.acknowledged_ts) as seen_ts
  from campaign_members m left join ${answers(sql)} a on true
  where m.campaign_id = ${campaignId}`;

export interface CampaignCounts {
  members: number;
  sent: number;
  failed: number;
  seen: number;
  acknowledged: number;
  reminded: number;
}

export async function countCampaign(
  sql: Sql,
  campaignId: string,
): Promise<CampaignCounts> {
  const [row] = await sql<CampaignCounts[]>`
    select count(*) as members, count(sent_ts) as sent, count(errcode) as failed, count(seen_ts) as seen,
      count(acknowledged_ts) as acknowledged, count(*) filter (where reminders > 0) as reminded
    from (${standing(sql, campaignId)}) s`;
  return row!;
}

export const MEMBER_STATES = [
  ...(["waiting", "sent", "seen", "acknowledged", "failed"] as const),
];
export type MemberState = (typeof MEMBER_STATES)[number];

export interface CampaignMemberRow {
  userId: string;
  state: MemberState;
  sentTs: number | null;
  seenTs: number | null;
  acknowledgedTs: number | null;
  eventId: string | null;
  reminders: number;
  errcode: string | null;
}

/** A page of the members by their ids, and how many there are in all. */
export async function listCampaignMembers(
  sql: Sql,
  campaignId: string,
  state: MemberState | null,
  { offset, limit, isDescending }: Page,
): Promise<{ members: CampaignMemberRow[]; total: number }> {
  const order = isDescending ? sql`desc` : sql`asc`;
  const { rows: members, total } = await countedPage(
    { limit, offset },
    (at) => sql<(CampaignMemberRow & { total: number })[]>`
    select *, count(*) over () as total from (
      select *, case when errcode is not null then 'failed' when acknowledged_ts is not null then 'acknowledged'
        when seen_ts is not null then 'seen' when sent_ts is not null then 'sent' else 'waiting' end as state
      from (${standing(sql, campaignId)}) s) shown
    where (${state}::text is null or state = ${state})
    order by user_id ${order} limit ${at.limit} offset ${at.offset}`,
  );
  return { members, total };
}

/** Adds the next people of the audience; answers how many, and the last of them. */
export async function addMembers(
  sql: Sql,
  claim: JobClaim,
  { campaignId, audienceKind, audienceId }: CampaignRow,
  span: { after: string; limit: number; notices: string },
): Promise<{ count: number; last: string }> {
  const source =
    audienceKind === "group"
      ? sql`user_group_members g join users u on u.user_id = g.user_id and g.group_id = ${audienceId}`
      : sql`users u`;
  const [row] = await sql<{ count: number; last: string | null }[]>`
    with held as materialized (${heldJob(sql, claim)}), next as (
      select u.user_id from ${source}
      where u.user_id > ${span.after} and u.user_id <> ${span.notices} and not u.is_deactivated and not u.is_guest
      order by u.user_id limit ${span.limit}
    ), added as (
      insert into campaign_members (campaign_id, user_id)
      select ${campaignId}, user_id from next, held on conflict do nothing
    )
    select count(*) as count, max(user_id) as last from next`;
  return { count: row!.count, last: row!.last ?? span.after };
}

/** To whom the notice is still to be sent, the next of them. */
export async function listUnsent(
  sql: Sql,
  campaignId: string,
  limit: number,
): Promise<string[]> {
  const rows = await sql<{ userId: string }[]>`
    select user_id from campaign_members
    where campaign_id = ${campaignId} and sent_ts is null and errcode is null order by user_id limit ${limit}`;
  return rows.map(({ userId }) => userId);
}

export interface Sending {
  userId: string;
  eventId: string | null;
  errcode: string | null;
}

/** Notes to whom the notice was sent; the first reminder is due so long after. */
export async function noteSent(
  sql: Sql,
  claim: JobClaim,
  { campaignId, remindAfterMs, mostReminders }: CampaignRow,
  sendings: readonly Sending[],
): Promise<void> {
  const due = mostReminders > 0 ? remindAfterMs : null;
  await sql`
    with held as materialized (${heldJob(sql, claim)})
    update campaign_members m set errcode = r.errcode, event_id = r.event_id,
      sent_ts = case when r.errcode is null then database_ms() end, room_nid = e.room_nid, event_position = e.position,
      remind_ts = case when r.errcode is null then database_ms() + ${due}::bigint end
    from held, jsonb_to_recordset(${rowsOf(sendings)}::text::jsonb) as r(user_id text, event_id text, errcode text)
    left join events e on e.event_id = r.event_id
    where m.campaign_id = ${campaignId} and m.user_id = r.user_id and m.sent_ts is null`;
}

const rowsOf = (sendings: readonly Sending[]): string =>
  JSON.stringify(
    sendings.map(({ userId, eventId, errcode }) => ({
      ...{ user_id: userId, event_id: eventId, errcode },
    })),
  );

/** Notes what members have answered; tells how many there were to ask, and the last of them. */
export async function noteAnswers(
  sql: Sql,
  claim: JobClaim,
  campaignId: string,
  span: { after: string; limit: number },
): Promise<{ count: number; last: string }> {
  const [row] = await sql<{ count: number; last: string | null }[]>`
    with held as materialized (${heldJob(sql, claim)}), next as (
      select m.* from campaign_members m
      where m.campaign_id = ${campaignId} and m.sent_ts is not null and m.acknowledged_ts is null
        and m.user_id > ${span.after}
      order by m.user_id limit ${span.limit}
    ), answered as (
      select m.user_id, a.acknowledged_ts, a.seen_ts from next m join ${answers(sql)} a on true
      where a.acknowledged_ts is not null or a.seen_ts is not null
    ), noted as (
      update campaign_members m set acknowledged_ts = a.acknowledged_ts,
        seen_ts = coalesce(m.seen_ts, a.seen_ts, a.acknowledged_ts),
        remind_ts = case when a.acknowledged_ts is null then m.remind_ts end
      from answered a, held where m.campaign_id = ${campaignId} and m.user_id = a.user_id
    )
    select count(*) as count, max(user_id) as last from next`;
  return { count: row!.count, last: row!.last ?? span.after };
}

/** Whom to remind now, the next of them, and how often each was before. */
export const listDueReminders = (
  sql: Sql,
  campaignId: string,
  limit: number,
): Promise<{ userId: string; reminders: number }[]> => sql<
  { userId: string; reminders: number }[]
>`
  select user_id, reminders from campaign_members
  where campaign_id = ${campaignId} and remind_ts <= database_ms()
  order by remind_ts limit ${limit}`;

/** Notes who was reminded, and when they are to be again. Who cannot be is left alone. */
export async function noteReminded(
  sql: Sql,
  claim: JobClaim,
  { campaignId, remindAfterMs, mostReminders }: CampaignRow,
  sendings: readonly Sending[],
): Promise<void> {
  await sql`
    with held as materialized (${heldJob(sql, claim)})
    update campaign_members m set reminders = m.reminders + 1, reminder_id = coalesce(r.event_id, m.reminder_id),
      remind_ts = case when m.reminders + 1 < ${mostReminders} and r.errcode is null
        then database_ms() + ${remindAfterMs}::bigint end
    from held, jsonb_to_recordset(${rowsOf(sendings)}::text::jsonb) as r(user_id text, event_id text, errcode text)
    where m.campaign_id = ${campaignId} and m.user_id = r.user_id and m.remind_ts is not null`;
}

/** Whether somebody has not acknowledged the notice yet. */
export async function isAnyoneWaiting(
  sql: Sql,
  campaignId: string,
): Promise<boolean> {
  const rows = await sql`
    select from campaign_members
    where campaign_id = ${campaignId} and sent_ts is not null and acknowledged_ts is null limit 1`;
  return rows.length > 0;
}

export async function closeCampaign(
  sql: Sql,
  claim: JobClaim,
  campaignId: string,
): Promise<void> {
  await sql`
    with held as materialized (${heldJob(sql, claim)})
    update campaigns set state = 'closed', ended_ts = database_ms() from held
    where campaign_id = ${campaignId} and campaigns.state = 'open'`;
}
