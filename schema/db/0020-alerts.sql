-- What is remarkable in the audit log and in what is fetched: found by jobs that read
-- after the fact, so that nothing that serves waits for it.

-- What a job has found. Whom it is about stands in the record that it names; here are
-- ids and numbers alone.
create table alerts (
  alert_id bigint primary key,
  detector text collate "C" not null,
  severity text collate "C" not null check (severity in ('low', 'medium', 'high')),
  -- A user id, or a keyed hash of a network.
  subject text collate "C" not null,
  -- Where the stretch of time begins that it is of, or the number of what it is about.
  span bigint not null,
  user_id text collate "C",
  -- The record that made it one; null where no record did.
  record_seq bigint,
  -- JSON: how many, of what.
  facts text not null,
  is_locked boolean not null,
  raised_ts bigint not null,
  acknowledged_by text collate "C",
  acknowledged_ts bigint,
  comment text,
  -- Whatever process finds it, and however often.
  unique (detector, subject, span)
);
select set_column_classes('alerts', '{"alert_id": "number", "detector": "setting", "severity": "setting", "subject": "id", "span": "number", "user_id": "id", "record_seq": "number", "facts": "number", "is_locked": "flag", "raised_ts": "time", "acknowledged_by": "id", "acknowledged_ts": "time", "comment": "setting"}');
create index alerts_by_time on alerts (raised_ts, alert_id);
create index alerts_by_user on alerts (user_id, raised_ts);
create index alerts_open on alerts (raised_ts, alert_id) where acknowledged_ts is null;

-- Up to where the audit log was read.
create table detector_places (
  name text collate "C" primary key,
  seq bigint not null
);
select set_column_classes('detector_places', '{"name": "setting", "seq": "number"}');

-- From where, and by what, somebody logged in before: hashes by the user's own key.
create table known_places (
  user_id text collate "C" not null,
  place_hash text collate "C" not null,
  kind text collate "C" not null check (kind in ('country', 'network', 'client')),
  seen_ts bigint not null,
  primary key (user_id, place_hash)
);
select set_column_classes('known_places', '{"user_id": "id", "place_hash": "hash", "kind": "setting", "seen_ts": "time"}');
create index known_places_by_age on known_places (seen_ts);
create index known_places_of_user on known_places (user_id, seen_ts);

-- How much each user has fetched in a stretch of time; processes add to it now and then.
create table download_counts (
  user_id text collate "C" not null,
  span bigint not null,
  files bigint not null,
  bytes bigint not null,
  primary key (user_id, span)
);
select set_column_classes('download_counts', '{"user_id": "id", "span": "time", "files": "number", "bytes": "number"}');
create index download_counts_by_span on download_counts (span);

-- The rows of a batch that raise alerts, and acknowledge them.
create function store_alerts(p_rows jsonb, starts bigint[], p_now bigint) returns void language plpgsql as $$
#variable_conflict use_column
begin
  insert into alerts (alert_id, detector, severity, subject, span, user_id, record_seq, facts, is_locked, raised_ts)
  select alert_id, detector, severity, subject, span, user_id, record_seq, facts, is_locked, p_now
  from jsonb_to_recordset(coalesce(p_rows->'alerts', '[]'))
    as r(w int, alert_id bigint, detector text, severity text, subject text, span bigint, user_id text,
      record_seq bigint, facts text, is_locked boolean)
  where starts[r.w + 1] is not null
  on conflict do nothing;
  update alerts set acknowledged_by = r.acknowledged_by, acknowledged_ts = p_now, comment = r.comment
  from jsonb_to_recordset(coalesce(p_rows->'alert_acknowledgements', '[]'))
    as r(w int, alert_id bigint, acknowledged_by text, comment text)
  where alerts.alert_id = r.alert_id and alerts.acknowledged_ts is null and starts[r.w + 1] is not null;
end $$;
