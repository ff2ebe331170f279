-- How long things are kept: policies, what they come to for each room, and what was
-- destroyed by them.

-- A draft is tried before it is put in force, and waits out the undo window then.
create table retention_policies (
  policy_id text collate "C" primary key,
  -- JSON; the version rises with each draft.
  draft text not null,
  version integer not null default 1,
  -- The version that somebody has been shown the numbers of.
  tried_version integer,
  -- What is in force from a time on, and what is until then.
  active text,
  active_version integer,
  in_force_ts bigint,
  previous text,
  previous_version integer,
  -- It is taken away: until then it only keeps others from its rooms.
  removed_ts bigint,
  changed_by text collate "C" not null,
  changed_ts bigint not null,
  activated_by text collate "C"
);
select set_column_classes('retention_policies', '{"policy_id": "setting", "draft": "setting", "version": "number", "tried_version": "number", "active": "setting", "active_version": "number", "in_force_ts": "time", "previous": "setting", "previous_version": "number", "removed_ts": "time", "changed_by": "id", "changed_ts": "time", "activated_by": "id"}');

-- What the policies come to for a room, and of what it was made: while that is so, it holds.
create table retention_rooms (
  room_nid bigint primary key,
  policy_id text collate "C",
  policy_version integer,
  -- Null for ever.
  max_ms bigint,
  redacts boolean not null default false,
  drops_receipts boolean not null default false,
  state_version bigint not null,
  made_of text collate "C" not null,
  -- Up to which version its state was looked through, when, and when the next of it is due at the soonest.
  swept_version bigint,
  swept_ts bigint not null default 0,
  state_due_ts bigint
);
select set_column_classes('retention_rooms', '{"room_nid": "number", "policy_id": "setting", "policy_version": "number", "max_ms": "time", "redacts": "flag", "drops_receipts": "flag", "state_version": "number", "made_of": "hash", "swept_version": "number", "swept_ts": "time", "state_due_ts": "time"}');
create index retention_rooms_limited on retention_rooms (room_nid) where max_ms is not null;

-- What a run destroyed by a policy, counted in the transaction that did.
create table retention_tallies (
  job_id text collate "C" not null,
  policy_id text collate "C" not null,
  what text collate "C" not null,
  count bigint not null,
  primary key (job_id, policy_id, what)
);
select set_column_classes('retention_tallies', '{"job_id": "id", "policy_id": "setting", "what": "setting", "count": "number"}');

-- The keys under which a copy of the database still holds what a run destroyed.
create table retention_keys (
  job_id text collate "C" not null,
  policy_id text collate "C" not null,
  key_id bigint not null,
  -- Dies with its span of time; else with its room, its member or its user.
  is_span boolean not null,
  master_epoch integer,
  primary key (job_id, policy_id, key_id)
);
select set_column_classes('retention_keys', '{"job_id": "id", "policy_id": "setting", "key_id": "number", "is_span": "flag", "master_epoch": "number"}');
create index retention_keys_by_key on retention_keys (key_id);

-- Signed: what is gone, and later that no copy can be read any more either.
create table retention_certificates (
  certificate_id text collate "C" primary key,
  job_id text collate "C" not null,
  policy_id text collate "C" not null,
  gone_ts bigint not null,
  document text not null,
  signature text collate "C" not null,
  -- When the last of the keys was seen to be destroyed.
  keys_gone_ts bigint,
  unreadable_ts bigint,
  last_document text,
  last_signature text collate "C",
  key_id text collate "C" not null,
  unique (job_id, policy_id)
);
select set_column_classes('retention_certificates', '{"certificate_id": "id", "job_id": "id", "policy_id": "setting", "gone_ts": "time", "document": "setting", "signature": "hash", "keys_gone_ts": "time", "unreadable_ts": "time", "last_document": "setting", "last_signature": "hash", "key_id": "setting"}');
create index retention_certificates_by_age on retention_certificates (gone_ts);
create index retention_certificates_open on retention_certificates (gone_ts) where unreadable_ts is null;

-- How far things go that are not of a room. One row.
create table retention_progress (
  is_only boolean primary key default true check (is_only),
  -- Devices last seen up to then have no address any more.
  addresses_ts bigint not null default 0,
  begun_ts bigint not null default 0,
  overdue_ms bigint not null default 0
);
select set_column_classes('retention_progress', '{"is_only": "flag", "addresses_ts": "time", "begun_ts": "time", "overdue_ms": "time"}');
insert into retention_progress default values;

-- What is in force just now.
create function policies_in_force() returns table (policy_id text, active text, active_version integer, in_force_ts bigint)
language sql stable as $$
  select p.policy_id, case when p.in_force_ts <= database_ms() then p.active else p.previous end,
    case when p.in_force_ts <= database_ms() then p.active_version else p.previous_version end,
    case when p.in_force_ts <= database_ms() then p.in_force_ts end
  from retention_policies p where p.in_force_ts <= database_ms() or p.previous is not null
$$;

-- The policies of a batch.
create function store_retention(p_rows jsonb, starts bigint[]) returns void language plpgsql as $$
#variable_conflict use_column
begin
  -- It destroys nothing from now on. What other policies would do in its place waits out the
  -- undo window: meanwhile it keeps all for ever.
  update retention_policies p set version = version + 1, tried_version = null, removed_ts = database_ms() + r.wait_ms,
    active = json_build_object('scope', f.active::json->'scope')::text, active_version = version + 1, in_force_ts = database_ms(),
    previous = null, previous_version = null
  from jsonb_to_recordset(coalesce(p_rows->'removed_retention_policies', '[]')) as r(w int, policy_id text, wait_ms bigint)
  join policies_in_force() f on f.policy_id = r.policy_id
  where p.policy_id = r.policy_id and p.removed_ts is null and starts[r.w + 1] is not null and r.wait_ms > 0;
  delete from retention_policies p using jsonb_to_recordset(coalesce(p_rows->'removed_retention_policies', '[]')) as r(w int, policy_id text)
  where p.policy_id = r.policy_id and p.removed_ts is null and starts[r.w + 1] is not null;
  insert into retention_policies as known (policy_id, draft, changed_by, changed_ts)
  select distinct on (policy_id) policy_id, draft, changed_by, database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'retention_drafts', '[]')) as r(w int, policy_id text, draft text, changed_by text)
  where starts[r.w + 1] is not null
  order by policy_id, w desc
  on conflict (policy_id) do update set draft = excluded.draft, version = known.version + 1, tried_version = null,
    removed_ts = null, changed_by = excluded.changed_by, changed_ts = excluded.changed_ts;
  update retention_policies set tried_version = r.version
  from jsonb_to_recordset(coalesce(p_rows->'retention_trials', '[]')) as r(w int, policy_id text, version int)
  where retention_policies.policy_id = r.policy_id and retention_policies.version = r.version and starts[r.w + 1] is not null;
  update retention_policies set
    previous = case when in_force_ts <= database_ms() then active else previous end,
    previous_version = case when in_force_ts <= database_ms() then active_version else previous_version end,
    active = draft, active_version = r.version, activated_by = r.activated_by, in_force_ts = database_ms() + r.wait_ms
  from jsonb_to_recordset(coalesce(p_rows->'retention_activations', '[]'))
    as r(w int, policy_id text, version int, wait_ms bigint, activated_by text)
  where retention_policies.policy_id = r.policy_id and retention_policies.version = r.version
    and retention_policies.tried_version = r.version and starts[r.w + 1] is not null;
end $$;

-- Names the policies that are in force just now.
create function retention_policies_now() returns text language sql stable as $$
  select md5(coalesce(string_agg(policy_id || ' ' || active_version, ',' order by policy_id), ''))
  from policies_in_force()
$$;

-- When a month (2026-11) or a day (2026-11-30) is over.
create function span_end(span text) returns bigint language sql stable as $$
  select (extract(epoch from (case when length(span) = 7
    then (span || '-01')::date + interval '1 month' else span::date + interval '1 day' end) at time zone 'UTC') * 1000)::bigint
$$;

create function add_tally(p_job text, p_policy text, p_what text, p_count bigint) returns void language sql as $$
  insert into retention_tallies as known (job_id, policy_id, what, count)
  select p_job, p_policy, p_what, p_count where p_count > 0
  on conflict (job_id, policy_id, what) do update set count = known.count + excluded.count
$$;

-- Whether a run still has its claim; nobody takes it from it before the commit.
create function holds_claim(p_job text, p_holder uuid, p_generation bigint) returns boolean language plpgsql as $$
begin
  perform from admin_jobs
  where job_id = p_job and holder = p_holder and generation = p_generation
    and held_until > clock_timestamp() and state = 'active' for update;
  return found;
end $$;

-- Destroys the contents of these events, but for what is held and what is current state:
-- they read as if redacted from here on. Answers how many there were: no more than fit into
-- 500 rows with what goes with them. Threads are locked before events, contents in their
-- order, and an event that somebody else is at is left.
create function expire_events(p_job text, p_holder uuid, p_generation bigint, p_nids bigint[]) returns bigint
language plpgsql as $$
declare
  doomed bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return 0; end if;
  perform from threads t join (
    select distinct room_nid, relates_to from events where nid = any(p_nids) and rel_type = 'm.thread'
  ) named on (t.room_nid, t.thread) = (named.room_nid, named.relates_to)
  order by t.room_nid, t.thread for update of t;
  select coalesce(array_agg(nid), '{}') into doomed from (
    select e.nid, sum(3 + (e.rel_type is not distinct from 'm.thread')::int
      + (select count(*) from media_references r where r.nid = e.nid)) over (order by place) as taken
    from unnest(p_nids) with ordinality as named(nid, place) join events e on e.nid = named.nid
  ) weighed where taken <= 450;
  select coalesce(array_agg(nid), '{}') into doomed from (
    select e.nid from events e
    where e.nid = any(doomed) and e.redacted_by is null and e.status <> 3 and not is_event_held(e.nid)
      and not (e.state_key is not null and exists (
        select from current_state s
        where s.room_nid = e.room_nid and s.type = e.type and s.state_key = e.state_key and s.nid = e.nid))
    order by e.nid for update skip locked) free;
  if doomed = '{}' then return 0; end if;
  perform from event_contents where nid = any(doomed) order by nid for update;

  with owners as materialized (
    select e.nid, e.state_key is not null as is_state, coalesce(r.policy_id, '') as policy_id
    from events e left join retention_rooms r on r.room_nid = e.room_nid where e.nid = any(doomed)
  ), contents as (
    delete from event_contents where nid = any(doomed) returning nid, first_key, second_key
  ), words as (
    delete from search_events where nid = any(doomed) returning nid, room_nid, span
  ), hashed as (
    select w.nid, o.policy_id, s.key_id from words w join owners o using (nid)
    join search_spans s on (s.room_nid, s.span) = (w.room_nid, w.span)
  ), cited as (
    delete from media_references where nid = any(doomed) returning nid
  ), notified as (
    delete from notifications where nid = any(doomed) returning nid
  ), pushed as (
    delete from push_queue where nid = any(doomed) returning nid
  ), hidden as (
    update events set redacted_by = 0, device_id = null, txn_id = null where nid = any(doomed)
    returning nid, room_nid, case when rel_type = 'm.thread' and state_key is null and status = 0
      and position is not null then relates_to end as thread
  ), replies as (
    update threads set replies = threads.replies - gone.replies, last_position = coalesce((
        select e.position from events e
        where e.room_nid = threads.room_nid and e.relates_to = threads.thread and e.rel_type = 'm.thread'
          and e.state_key is null and e.status = 0 and e.redacted_by is null
          and e.nid <> all(doomed) and e.position is not null
        order by e.position desc limit 1), 0)
    from (select room_nid, thread, count(*) as replies from hidden where thread is not null group by 1, 2) gone
    where (threads.room_nid, threads.thread) = (gone.room_nid, gone.thread)
  ), sealing as (
    insert into retention_keys (job_id, policy_id, key_id, is_span, master_epoch)
    select p_job, used.policy_id, used.key_id, used.is_span, keys.master_epoch from (
      select distinct policy_id, case when second_key = 0 then first_key else second_key end as key_id,
        second_key <> 0 as is_span
      from contents join owners using (nid) where first_key <> 0
      union select policy_id, key_id, true from hashed where key_id <> 0
    ) used left join keys on keys.key_id = used.key_id
    on conflict do nothing
  )
  insert into retention_tallies as known (job_id, policy_id, what, count)
  select p_job, policy_id, what, count(*) from (
    select nid, case when is_state then 'state' else 'messages' end as what from owners
    union all select nid, 'contents' from contents
    union all select nid, 'unsealed' from contents where first_key = 0
    union all select nid, 'unsealed' from hashed where key_id = 0
    union all select nid, 'words' from words
    union all select nid, 'media references' from cited
    union all select nid, 'notifications' from notified
    union all select nid, 'pushes' from pushed
  ) gone join owners using (nid)
  group by policy_id, what
  on conflict (job_id, policy_id, what) do update set count = known.count + excluded.count;
  return cardinality(doomed);
end $$;

-- Notes under which keys what a run destroys is sealed, so that its certificate says when no
-- copy opens it any more; of what no key seals none does.
create function note_sealing(p_job text, p_policy text, p_keys bigint[]) returns void language sql as $$
  insert into retention_keys (job_id, policy_id, key_id, is_span, master_epoch)
  select p_job, p_policy, used.key_id, coalesce(k.span <> '', false), k.master_epoch
  from (select distinct key_id from unnest(p_keys) u(key_id) where key_id <> 0) used left join keys k on k.key_id = used.key_id
  on conflict do nothing;
  select add_tally(p_job, p_policy, 'unsealed', cardinality(array_positions(p_keys, 0)));
$$;

-- Deletes media, but for those that are held or protected, or have come into use: with
-- p_nids those that anything besides these events names, else pictures that somebody shows.
-- Answers the blobs.
create function drop_media(
  p_job text, p_holder uuid, p_generation bigint, p_policy text, p_media text[], p_nids bigint[], p_keeps_pictures boolean
) returns setof text language plpgsql as $$
declare
  doomed text[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  select coalesce(array_agg(media_id), '{}') into doomed from (
    select m.media_id from media m
    where m.media_id = any(p_media) and not m.is_protected and not is_media_held(m.media_id)
      and (p_nids is null or not exists (
        select from media_references r where r.media_id = m.media_id and r.nid <> all(p_nids)))
      and (p_nids is null and not p_keeps_pictures or not is_picture(m.media_id))
    order by m.media_id for update of m) free;
  perform add_tally(p_job, p_policy, 'media', cardinality(doomed));
  perform note_sealing(p_job, p_policy, array(select key_id from media where media_id = any(doomed) and sealed is not null));
  delete from media_references where media_id = any(doomed);
  return query delete from media where media_id = any(doomed) returning blob_id;
end $$;

-- Whether a profile or a room shows it, or a pack of emoji has it, a room's or a user's own.
create function is_picture(p_media text) returns boolean language sql stable as $$
  select exists (select from profile_fields p where p.media_id = p_media) or is_in_settings(p_media)
    or exists (
      select from media_references r join events e on e.nid = r.nid
      join current_state s on s.room_nid = e.room_nid and s.type = e.type and s.state_key = e.state_key and s.nid = e.nid
      where r.media_id = p_media)
$$;

-- What a medium is used as: the first that holds.
create function media_class(p_media text) returns text language sql stable as $$
  select case
    when exists (select from url_previews u where u.media_id = p_media) then 'url_preview'
    when exists (select from profile_fields p where p.media_id = p_media) then 'avatar'
    when is_in_settings(p_media) then 'emoji'
    else coalesce((
      select case when e.type in ('m.room.avatar', 'm.room.member') then 'avatar'
        when e.type in ('m.sticker', 'm.image_pack', 'm.room.image_pack', 'im.ponies.room_emotes') then 'emoji'
        else 'attachment' end
      from media_references r join events e on e.nid = r.nid
      where r.media_id = p_media order by e.state_key is null, e.nid limit 1), 'attachment') end
$$;

-- Destroys the keys of spans in which nothing of their room is left. Answers them.
create function destroy_spans(p_job text, p_holder uuid, p_generation bigint, p_keys bigint[]) returns setof bigint
language plpgsql as $$
declare
  doomed bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  with gone as (
    delete from keys using rooms
    where keys.key_id = any(p_keys) and rooms.room_id = keys.owner and not is_span_used(rooms.room_nid, keys.span)
    returning keys.key_id, keys.scope, keys.span, keys.master_epoch, rooms.room_nid
  ), noted as (
    update retention_keys set master_epoch = gone.master_epoch from gone where retention_keys.key_id = gone.key_id
  ), unhashed as (
    delete from search_spans using gone
    where gone.scope = 'room-words' and (search_spans.room_nid, search_spans.span) = (gone.room_nid, gone.span)
  ), counted as (
    insert into retention_tallies as known (job_id, policy_id, what, count)
    select p_job, coalesce(r.policy_id, ''), 'keys', count(*) from gone left join retention_rooms r using (room_nid) group by 2
    on conflict (job_id, policy_id, what) do update set count = known.count + excluded.count
  )
  select coalesce(array_agg(key_id), '{}') into doomed from gone;
  perform pg_notify('myelin', json_build_object('destroyed', doomed)::text);
  return query select unnest(doomed);
end $$;

-- Destroys keys of months in which runs destroyed files, where nothing is left that they open:
-- so many at the most. Answers them. Whoever is about to seal under one has its row until then.
create function destroy_file_keys(p_job text, p_holder uuid, p_generation bigint, p_limit integer) returns setof bigint
language plpgsql as $$
declare
  doomed bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  select coalesce(array_agg(key_id), '{}') into doomed from (
    select k.key_id from keys k
    where k.scope = 'user-files' and span_end(k.span) <= database_ms() and is_file_key_idle(k.key_id)
      and k.key_id in (select r.key_id from retention_keys r)
    order by k.key_id limit p_limit for update skip locked) free;
  with gone as (
    delete from keys where key_id = any(doomed) and is_file_key_idle(key_id) returning key_id, master_epoch
  ), noted as (
    update retention_keys set master_epoch = gone.master_epoch from gone where retention_keys.key_id = gone.key_id
    returning retention_keys.job_id, retention_keys.policy_id
  ), counted as (
    insert into retention_tallies as known (job_id, policy_id, what, count)
    select job_id, policy_id, 'keys', count(*) from noted where job_id = p_job group by 1, 2
    on conflict (job_id, policy_id, what) do update set count = known.count + excluded.count
  )
  select coalesce(array_agg(key_id), '{}') into doomed from gone;
  perform pg_notify('myelin', json_build_object('destroyed', doomed)::text);
  return query select unnest(doomed);
end $$;

create function is_file_key_idle(p_key bigint) returns boolean language sql stable as $$
  select not exists (select from media m where m.key_id = p_key and m.key_id <> 0)
    and not exists (select from url_previews u where u.key_id = p_key and u.key_id <> 0)
$$;

-- Whether anything is left of what a room's key of this span may have sealed.
create function is_span_used(p_room bigint, p_span text) returns boolean language sql stable as $$
  select exists (
    select from events e
    where e.room_nid = p_room and e.redacted_by is null and e.status <> 3 and e.state_key is null
      and least(e.origin_server_ts, e.received_ts) < span_end(p_span))
$$;

-- Receipts of rooms that are older than what they are of may be; so many at the most.
create function drop_receipts(
  p_job text, p_holder uuid, p_generation bigint, p_rooms bigint[], p_until bigint[], p_limit integer
) returns bigint language plpgsql as $$
declare
  dropped bigint;
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return 0; end if;
  with gone as (
    delete from receipts where ctid = any(array(
      select x.ctid from unnest(p_rooms, p_until) as r(room_nid, until_ts)
      join receipts x on x.room_nid = r.room_nid and x.receipt_ts <= r.until_ts
      where not is_user_held(x.user_id) and not is_room_held(x.room_nid) limit p_limit))
    returning room_nid
  ), counted as (
    insert into retention_tallies as known (job_id, policy_id, what, count)
    select p_job, coalesce(policy_id, ''), 'receipts', count(*) from gone left join retention_rooms using (room_nid) group by 2
    on conflict (job_id, policy_id, what) do update set count = known.count + excluded.count
  )
  select count(*) into dropped from gone;
  return dropped;
end $$;

-- Small pictures of files that came, or were had last, before a time: they are made anew
-- where somebody asks. Answers their blobs.
create function drop_thumbnails(
  p_job text, p_holder uuid, p_generation bigint, p_policy text, p_until bigint, p_by_access boolean, p_limit integer
) returns setof text language plpgsql as $$
declare
  doomed text[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  select coalesce(array_agg(blob_id), '{}') into doomed from (
    select t.blob_id from media_blobs t
    where t.state = 'stored' and t.origin_blob_id is not null and not exists (
      select from media m where m.blob_id = t.origin_blob_id and (
        m.is_protected or is_media_held(m.media_id)
        or case when p_by_access then coalesce(m.last_access_ts, m.created_ts) else m.created_ts end > p_until))
    order by t.blob_id limit p_limit for update skip locked) free;
  perform add_tally(p_job, p_policy, 'thumbnails', cardinality(doomed));
  -- Their file's key opens them, which stays with the file.
  perform note_sealing(p_job, p_policy, array(
    select m.key_id from media_blobs t join media m on m.blob_id = t.origin_blob_id
    where t.blob_id = any(doomed) and m.sealed is not null));
  return query update media_blobs set state = 'dropped', expires_ts = clock_timestamp()
    where blob_id = any(doomed) returning blob_id;
end $$;

-- What pages said that were fetched up to a time, with their pictures.
create function drop_previews(
  p_job text, p_holder uuid, p_generation bigint, p_policy text, p_until bigint, p_limit integer
) returns setof text language plpgsql as $$
declare
  dropped bigint;
  pictures text[];
  sealing bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  with gone as (
    delete from url_previews where ctid = any(array(
      select ctid from url_previews where fetched_ts <= p_until order by fetched_ts limit p_limit))
    returning media_id, key_id
  )
  select count(*), coalesce(array_agg(media_id) filter (where media_id is not null), '{}'), coalesce(array_agg(key_id), '{}')
  into dropped, pictures, sealing from gone;
  perform add_tally(p_job, p_policy, 'previews', dropped);
  select coalesce(array_agg(media_id), '{}'), sealing || coalesce(array_agg(key_id) filter (where sealed is not null), '{}')
  into pictures, sealing from (
    select m.media_id, m.key_id, m.sealed from media m
    where m.media_id = any(pictures) and not m.is_protected and not is_media_held(m.media_id) and not is_named(m.media_id)
      and not exists (select from url_previews u where u.media_id = m.media_id)
    order by m.media_id for update of m) free;
  perform note_sealing(p_job, p_policy, sealing);
  return query delete from media m where m.media_id = any(pictures) returning m.blob_id;
end $$;

-- What was sent later than it was asked for, and stands in its room since; answers how many.
create function drop_delayed_events(
  p_job text, p_holder uuid, p_generation bigint, p_policy text, p_until bigint, p_limit integer
) returns bigint language plpgsql as $$
declare
  dropped bigint;
  sealing bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return 0; end if;
  with gone as (
    delete from delayed_events where ctid = any(array(
      select ctid from delayed_events
      where finalised_ts <= p_until and not is_user_held(user_id) order by finalised_ts limit p_limit))
    returning key_id
  )
  select count(*), coalesce(array_agg(key_id), '{}') into dropped, sealing from gone;
  perform add_tally(p_job, p_policy, 'delayed events', dropped);
  perform note_sealing(p_job, p_policy, sealing);
  return dropped;
end $$;

-- Devices sealed anew without the address they came from, unless they were seen meanwhile.
create function forget_addresses(
  p_job text, p_holder uuid, p_generation bigint, p_policy text, p_devices jsonb, p_until bigint
) returns void language plpgsql as $$
declare
  dropped bigint;
  sealing bigint[];
begin
  perform lock_against_holds();
  if not holds_claim(p_job, p_holder, p_generation) then return; end if;
  with seen as materialized (
    select v.user_id, v.device_id, v.key_id from devices v
    join jsonb_to_recordset(p_devices) as d(user_id text, device_id text, before bytea)
      on (v.user_id, v.device_id, v.sealed) = (d.user_id, d.device_id, d.before)
    where not is_user_held(v.user_id) order by 1, 2 for update of v
  ), anew as (
    update devices set key_id = d.key_id, sealed = d.sealed
    from seen join jsonb_to_recordset(p_devices) as d(user_id text, device_id text, key_id bigint, sealed bytea)
      on (d.user_id, d.device_id) = (seen.user_id, seen.device_id)
    where (devices.user_id, devices.device_id) = (seen.user_id, seen.device_id)
    returning seen.key_id
  )
  select count(*), coalesce(array_agg(key_id), '{}') into dropped, sealing from anew;
  perform add_tally(p_job, p_policy, 'addresses', dropped);
  perform note_sealing(p_job, p_policy, sealing);
  update retention_progress set addresses_ts = greatest(addresses_ts, p_until);
end $$;
