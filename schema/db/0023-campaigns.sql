-- What is done to many at once: accounts that come from a list, devices that are wiped,
-- notices that people acknowledge, and incidents.

-- A row of a list that accounts are made of, by the line that it begins at.
create table import_rows (
  job_id text collate "C" not null,
  line integer not null,
  user_id text collate "C" not null,
  -- Which groups the account is proposed for: who decides of groups puts it there.
  groups text[] not null,
  state text collate "C" not null default 'waiting' check (state in ('waiting', 'made', 'failed', 'cancelled')),
  errcode text collate "C",
  created_ts bigint not null,
  -- JSON: what the account is to be, sealed under the key of who asked for it; gone when it is made.
  key_id bigint not null,
  sealed bytea,
  primary key (job_id, line)
);
select set_column_classes('import_rows', '{"job_id": "id", "line": "number", "user_id": "id", "groups": "setting", "state": "setting", "errcode": "setting", "created_ts": "time", "key_id": "number", "sealed": "sealed"}');
create index import_rows_waiting on import_rows (job_id, line) where state = 'waiting';
create index import_rows_grouped on import_rows (job_id, line) where state = 'made' and groups <> '{}';
create index import_rows_failed on import_rows (job_id, line) where state = 'failed';
create index import_rows_by_user on import_rows (user_id);
create index import_rows_by_age on import_rows (created_ts);

-- Devices whose clients were told to forget everything, by the refusal that ends a session for good.
create table device_wipes (
  wipe_id text collate "C" primary key,
  user_id text collate "C" not null,
  device_id text collate "C" not null,
  ordered_by text collate "C" not null,
  ordered_ts bigint not null,
  -- When the device came back, and was refused.
  told_ts bigint
);
select set_column_classes('device_wipes', '{"wipe_id": "id", "user_id": "id", "device_id": "id", "ordered_by": "id", "ordered_ts": "time", "told_ts": "time"}');
create index device_wipes_by_user on device_wipes (user_id, ordered_ts, wipe_id);
create index device_wipes_by_age on device_wipes (ordered_ts);

-- The tokens that such a device may still come with.
create table wiped_tokens (
  token_hash bytea primary key,
  wipe_id text collate "C" not null references device_wipes on delete cascade
);
select set_column_classes('wiped_tokens', '{"token_hash": "hash", "wipe_id": "id"}');
create index wiped_tokens_by_wipe on wiped_tokens (wipe_id);

-- Before the devices are removed, and their tokens with them.
create function store_wipes(p_rows jsonb, starts bigint[]) returns void language plpgsql as $$
#variable_conflict use_column
begin
  insert into device_wipes (wipe_id, user_id, device_id, ordered_by, ordered_ts)
  select wipe_id, user_id, device_id, ordered_by, database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'device_wipes', '[]'))
    as r(w int, wipe_id text, user_id text, device_id text, ordered_by text)
  where starts[r.w + 1] is not null;
  insert into wiped_tokens (token_hash, wipe_id)
  select t.token_hash, r.wipe_id
  from jsonb_to_recordset(coalesce(p_rows->'device_wipes', '[]')) as r(w int, wipe_id text, user_id text, device_id text)
  join (
    select token_hash, user_id, device_id from access_tokens
    union all select token_hash, user_id, device_id from refresh_tokens) t
    on (t.user_id, t.device_id) = (r.user_id, r.device_id)
  where starts[r.w + 1] is not null
  on conflict do nothing;
  update device_wipes set told_ts = database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'told_wipes', '[]')) as r(w int, wipe_id text)
  where device_wipes.wipe_id = r.wipe_id and device_wipes.told_ts is null and starts[r.w + 1] is not null;
end $$;

-- Something that the server tells many, and wants to know that they have taken note of.
create table campaigns (
  campaign_id text collate "C" primary key,
  name text not null,
  job_id text collate "C" not null unique,
  state text collate "C" not null default 'open' check (state in ('open', 'closed', 'cancelled')),
  audience_kind text collate "C" not null check (audience_kind in ('all', 'group', 'users')),
  -- The group, where it is one.
  audience_id text collate "C" not null,
  -- JSON: the content of the notice, and of its reminders.
  content text not null,
  reminder text not null,
  remind_after_ms bigint,
  most_reminders smallint not null,
  closes_ts bigint not null,
  created_by text collate "C" not null,
  created_ts bigint not null,
  ended_ts bigint
);
select set_column_classes('campaigns', '{"campaign_id": "id", "name": "setting", "job_id": "id", "state": "setting", "audience_kind": "setting", "audience_id": "setting", "content": "setting", "reminder": "setting", "remind_after_ms": "time", "most_reminders": "number", "closes_ts": "time", "created_by": "id", "created_ts": "time", "ended_ts": "time"}');
create index campaigns_by_time on campaigns (created_ts, campaign_id);

-- Whom a campaign is for, and how far each has come.
create table campaign_members (
  campaign_id text collate "C" not null references campaigns on delete cascade,
  user_id text collate "C" not null,
  room_nid bigint,
  event_id text collate "C",
  event_position bigint,
  sent_ts bigint,
  -- The last one.
  reminder_id text collate "C",
  reminders smallint not null default 0,
  -- When the next reminder is due; null where none is.
  remind_ts bigint,
  seen_ts bigint,
  acknowledged_ts bigint,
  -- Why it could not be sent.
  errcode text collate "C",
  primary key (campaign_id, user_id)
);
select set_column_classes('campaign_members', '{"campaign_id": "id", "user_id": "id", "room_nid": "number", "event_id": "id", "event_position": "number", "sent_ts": "time", "reminder_id": "id", "reminders": "number", "remind_ts": "time", "seen_ts": "time", "acknowledged_ts": "time", "errcode": "setting"}');
create index campaign_members_unsent on campaign_members (campaign_id, user_id) where sent_ts is null and errcode is null;
create index campaign_members_waiting on campaign_members (campaign_id, user_id) where sent_ts is not null and acknowledged_ts is null;
create index campaign_members_due on campaign_members (campaign_id, remind_ts) where remind_ts is not null;
create index campaign_members_by_user on campaign_members (user_id);

-- What happened, from when the clock runs, and what was done about it.
create table incidents (
  incident_id text collate "C" primary key,
  title text not null,
  severity text collate "C" not null check (severity in ('low', 'medium', 'high')),
  state text collate "C" not null default 'open' check (state in ('open', 'closed')),
  -- What was in question began, and ended; null where that is not known.
  from_ts bigint,
  to_ts bigint,
  summary text not null,
  opened_by text collate "C" not null,
  opened_ts bigint not null,
  -- When it became known: what has to be told has to be told within 72 hours.
  aware_ts bigint not null,
  -- When the authority was told, or that it need not be; with the reason.
  notified_ts bigint,
  notification text,
  campaign_id text collate "C",
  closed_by text collate "C",
  closed_ts bigint,
  report text,
  -- Rises with each change, which names the one that it was made on.
  version integer not null default 1
);
select set_column_classes('incidents', '{"incident_id": "id", "title": "setting", "severity": "setting", "state": "setting", "from_ts": "time", "to_ts": "time", "summary": "setting", "opened_by": "id", "opened_ts": "time", "aware_ts": "time", "notified_ts": "time", "notification": "setting", "campaign_id": "id", "closed_by": "id", "closed_ts": "time", "report": "setting", "version": "number"}');
create index incidents_by_time on incidents (opened_ts, incident_id);
create index incidents_running on incidents (aware_ts) where state = 'open' and notified_ts is null;

create function store_campaigns(p_rows jsonb, starts bigint[]) returns void language plpgsql as $$
#variable_conflict use_column
begin
  -- Who was made stays made, also where it was taken back meanwhile.
  update import_rows set state = case when r.errcode is null then 'made' else 'failed' end,
    errcode = r.errcode, key_id = 0, sealed = null
  from jsonb_to_recordset(coalesce(p_rows->'import_row_ends', '[]')) as r(w int, job_id text, line int, errcode text)
  where (import_rows.job_id, import_rows.line) = (r.job_id, r.line) and starts[r.w + 1] is not null
    and (import_rows.state = 'waiting' or import_rows.state = 'cancelled' and r.errcode is null);
  update import_rows set state = 'cancelled', key_id = 0, sealed = null
  from jsonb_to_recordset(coalesce(p_rows->'cancelled_admin_jobs', '[]')) as r(w int, job_id text)
  where import_rows.job_id = r.job_id and import_rows.state = 'waiting' and starts[r.w + 1] is not null;

  insert into campaigns (campaign_id, name, job_id, audience_kind, audience_id, content, reminder, remind_after_ms,
    most_reminders, closes_ts, created_by, created_ts)
  select campaign_id, name, job_id, audience_kind, audience_id, content, reminder, remind_after_ms,
    most_reminders, database_ms() + r.open_for_ms, created_by, database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'campaigns', '[]'))
    as r(w int, campaign_id text, name text, job_id text, audience_kind text, audience_id text, content text,
      reminder text, remind_after_ms bigint, most_reminders smallint, open_for_ms bigint, created_by text)
  where starts[r.w + 1] is not null;
  insert into campaign_members (campaign_id, user_id)
  select distinct r.campaign_id, named
  from jsonb_to_recordset(coalesce(p_rows->'campaigns', '[]')) as r(w int, campaign_id text, users text[])
  cross join unnest(r.users) as named
  join users on users.user_id = named
  where starts[r.w + 1] is not null;
  update campaigns set state = 'cancelled', ended_ts = database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'cancelled_admin_jobs', '[]')) as r(w int, job_id text)
  where campaigns.job_id = r.job_id and campaigns.state = 'open' and starts[r.w + 1] is not null;

  insert into incidents (incident_id, title, severity, from_ts, to_ts, summary, opened_by, opened_ts, aware_ts)
  select incident_id, title, severity, from_ts, to_ts, summary, opened_by, database_ms(),
    least(coalesce(r.aware_ts, database_ms()), database_ms())
  from jsonb_to_recordset(coalesce(p_rows->'incidents', '[]'))
    as r(w int, incident_id text, title text, severity text, from_ts bigint, to_ts bigint, summary text,
      opened_by text, aware_ts bigint)
  where starts[r.w + 1] is not null;
  update incidents set
    version = incidents.version + 1,
    title = coalesce(r.title, incidents.title),
    severity = coalesce(r.severity, incidents.severity),
    summary = coalesce(r.summary, incidents.summary),
    from_ts = coalesce(r.from_ts, incidents.from_ts),
    to_ts = coalesce(r.to_ts, incidents.to_ts),
    campaign_id = coalesce(r.campaign_id, incidents.campaign_id),
    notification = coalesce(r.notification, incidents.notification),
    notified_ts = case when r.notification is null then incidents.notified_ts
      else coalesce(incidents.notified_ts, database_ms()) end,
    state = case when r.closed_by is null then incidents.state else 'closed' end,
    closed_by = coalesce(r.closed_by, incidents.closed_by),
    closed_ts = case when r.closed_by is null then incidents.closed_ts else database_ms() end,
    report = coalesce(r.report, incidents.report)
  from jsonb_to_recordset(coalesce(p_rows->'incident_changes', '[]'))
    as r(w int, incident_id text, version int, title text, severity text, summary text, from_ts bigint, to_ts bigint,
      campaign_id text, notification text, closed_by text, report text)
  where (incidents.incident_id, incidents.version) = (r.incident_id, r.version) and incidents.state = 'open'
    and starts[r.w + 1] is not null;
end $$;
