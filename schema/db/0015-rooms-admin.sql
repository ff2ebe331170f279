-- What administrators do to rooms and files: rooms that nobody may enter, and tasks that
-- take long, wait, and can be taken back.

-- Rooms that nobody of this server comes into any more; also such that it does not know.
create table blocked_rooms (
  room_id text collate "C" primary key,
  blocked_by text collate "C" not null,
  blocked_ts bigint not null
);
select set_column_classes('blocked_rooms', '{"room_id": "id", "blocked_by": "id", "blocked_ts": "time"}');

-- A task that is done in steps, by whichever process holds it. Times are the database's.
create table admin_jobs (
  job_id text collate "C" primary key,
  kind text collate "C" not null check (kind in (
    'delete-room', 'purge-history', 'redact-user', 'retention', 'erase-user', 'import-users', 'campaign', 'end-sessions')),
  -- Whom or what it is about.
  room_id text collate "C",
  user_id text collate "C",
  -- JSON: what was asked for, and how far it has come.
  params text not null,
  progress text not null default '{}',
  state text collate "C" not null default 'scheduled'
    check (state in ('scheduled', 'active', 'complete', 'failed', 'cancelled')),
  -- Nothing of it is done before.
  not_before bigint not null,
  created_by text collate "C" not null,
  created_ts bigint not null,
  ended_ts bigint,
  failures smallint not null default 0,
  error text,
  holder uuid,
  -- Rises with each holder: who slept meanwhile writes nothing.
  generation bigint not null default 0,
  held_until timestamptz not null default '-infinity'
);
select set_column_classes('admin_jobs', '{"job_id": "id", "kind": "setting", "room_id": "id", "user_id": "id", "params": "setting", "progress": "number", "state": "setting", "not_before": "time", "created_by": "id", "created_ts": "time", "ended_ts": "time", "failures": "number", "error": "setting", "holder": "number", "generation": "number", "held_until": "time"}');
create index admin_jobs_due on admin_jobs (not_before) where state in ('scheduled', 'active');
create index admin_jobs_by_room on admin_jobs (room_id, created_ts) where room_id is not null;
create index admin_jobs_by_age on admin_jobs (created_ts);

-- What a task has done to whom, one by one: a user who was taken out of a room, an event
-- that could not be redacted.
create table admin_job_items (
  job_id text collate "C" not null references admin_jobs on delete cascade,
  item text collate "C" not null,
  kind text collate "C" not null check (kind in ('kicked', 'not-kicked', 'not-redacted')),
  reason text,
  primary key (job_id, item)
);
select set_column_classes('admin_job_items', '{"job_id": "id", "item": "id", "kind": "setting", "reason": "setting"}');

-- Which files were withheld from everybody, and given free again, in this order.
create table quarantine_changes (
  change_id bigint generated always as identity primary key,
  media_id text collate "C" not null,
  is_quarantined boolean not null,
  changed_ts bigint not null
);
select set_column_classes('quarantine_changes', '{"change_id": "number", "media_id": "id", "is_quarantined": "flag", "changed_ts": "time"}');

-- The rows of a batch that administrators' acts on rooms and files write.
create function store_admin_rows(p_rows jsonb, starts bigint[], p_now bigint) returns void language plpgsql as $$
#variable_conflict use_column
begin
  insert into blocked_rooms (room_id, blocked_by, blocked_ts)
  select room_id, blocked_by, p_now
  from jsonb_to_recordset(coalesce(p_rows->'room_blocks', '[]')) as r(w int, room_id text, blocked_by text)
  where starts[r.w + 1] is not null
  on conflict do nothing;
  delete from blocked_rooms using jsonb_to_recordset(coalesce(p_rows->'removed_room_blocks', '[]')) as r(w int, room_id text)
  where blocked_rooms.room_id = r.room_id and starts[r.w + 1] is not null;

  insert into admin_jobs (job_id, kind, room_id, user_id, params, not_before, created_by, created_ts)
  select job_id, kind, room_id, user_id, params, database_ms() + wait_ms, created_by, database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'admin_jobs', '[]'))
    as r(w int, job_id text, kind text, room_id text, user_id text, params text, wait_ms bigint, created_by text)
  where starts[r.w + 1] is not null;
  update admin_jobs set state = 'cancelled', ended_ts = database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'cancelled_admin_jobs', '[]')) as r(w int, job_id text)
  where admin_jobs.job_id = r.job_id and starts[r.w + 1] is not null and admin_jobs.state in ('scheduled', 'active');
  insert into admin_job_items (job_id, item, kind, reason)
  select job_id, item, kind, reason
  from jsonb_to_recordset(coalesce(p_rows->'admin_job_items', '[]'))
    as r(w int, job_id text, item text, kind text, reason text)
  where starts[r.w + 1] is not null
  on conflict do nothing;

  -- Who forks a room's graph anew meanwhile leaves an end that is not among these.
  delete from forward_extremities using jsonb_to_recordset(coalesce(p_rows->'pruned_extremities', '[]')) as r(w int, room_nid bigint, nid bigint)
  where forward_extremities.room_nid = r.room_nid and forward_extremities.nid = r.nid and starts[r.w + 1] is not null;

  with marked as (
    update media set quarantined_by = r.quarantined_by
    from jsonb_to_recordset(coalesce(p_rows->'quarantined_media', '[]')) as r(w int, media_id text, quarantined_by text)
    where media.media_id = r.media_id and media.quarantined_by is null and not media.is_protected
      and starts[r.w + 1] is not null and media.media_id = any(array(
        select q.media_id from jsonb_to_recordset(coalesce(p_rows->'quarantined_media', '[]')) as q(media_id text)))
    returning media.media_id
  )
  insert into quarantine_changes (media_id, is_quarantined, changed_ts)
  select media_id, true, p_now from marked order by media_id;
  with marked as (
    update media set quarantined_by = null
    from jsonb_to_recordset(coalesce(p_rows->'released_media', '[]')) as r(w int, media_id text)
    where media.media_id = r.media_id and media.quarantined_by is not null and starts[r.w + 1] is not null
      and media.media_id = any(array(
        select q.media_id from jsonb_to_recordset(coalesce(p_rows->'released_media', '[]')) as q(media_id text)))
    returning media.media_id
  )
  insert into quarantine_changes (media_id, is_quarantined, changed_ts)
  select media_id, false, p_now from marked order by media_id;
  update media set is_protected = r.is_protected
  from jsonb_to_recordset(coalesce(p_rows->'media_protections', '[]')) as r(w int, media_id text, is_protected boolean)
  where media.media_id = r.media_id and starts[r.w + 1] is not null and media.media_id = any(array(
    select q.media_id from jsonb_to_recordset(coalesce(p_rows->'media_protections', '[]')) as q(media_id text)));
  delete from media where media_id = any(array(
    select r.media_id from jsonb_to_recordset(coalesce(p_rows->'removed_media', '[]')) as r(w int, media_id text)
    where starts[r.w + 1] is not null));

  delete from reports using jsonb_to_recordset(coalesce(p_rows->'removed_reports', '[]')) as r(w int, report_id bigint)
  where reports.report_id = r.report_id and starts[r.w + 1] is not null;
end $$;
