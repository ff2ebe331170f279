-- What people may ask of their own data: erasure with proof, requests with a date, consents.

-- What an erasure destroyed, counted in the transaction that did.
create table erasure_tallies (
  job_id text collate "C" not null,
  what text collate "C" not null,
  count bigint not null,
  primary key (job_id, what)
);
select set_column_classes('erasure_tallies', '{"job_id": "id", "what": "setting", "count": "number"}');

-- Signed: what is gone, and later that no copy of it can be read any more either.
create table erasure_certificates (
  certificate_id text collate "C" primary key,
  job_id text collate "C" not null unique,
  user_id text collate "C" not null,
  gone_ts bigint not null,
  -- The last epoch of the master key that wrapped any of the keys; null where there were none.
  master_epoch integer,
  document text not null,
  signature text collate "C" not null,
  unreadable_ts bigint,
  last_document text,
  last_signature text collate "C",
  key_id text collate "C" not null
);
select set_column_classes('erasure_certificates', '{"certificate_id": "id", "job_id": "id", "user_id": "id", "gone_ts": "time", "master_epoch": "number", "document": "id", "signature": "hash", "unreadable_ts": "time", "last_document": "id", "last_signature": "hash", "key_id": "setting"}');
create index erasure_certificates_by_user on erasure_certificates (user_id, gone_ts);
create index erasure_certificates_open on erasure_certificates (gone_ts) where unreadable_ts is null;

-- What persons ask for, and until when they are to be answered.
create table privacy_requests (
  request_id text collate "C" primary key,
  user_id text collate "C" not null,
  kind text collate "C" not null check (kind in ('access', 'rectify', 'erase')),
  state text collate "C" not null default 'open'
    check (state in ('open', 'in_progress', 'done', 'refused', 'withdrawn')),
  opened_by text collate "C" not null,
  created_ts bigint not null,
  due_ts bigint not null,
  closed_ts bigint,
  identity_checked_by text collate "C",
  identity_checked_ts bigint,
  -- Rises with each change, which names the one that it was made on.
  version integer not null default 1,
  -- JSON: what was asked, how the identity was checked, notes.
  key_id bigint not null,
  sealed bytea not null
);
select set_column_classes('privacy_requests', '{"request_id": "id", "user_id": "id", "kind": "setting", "state": "setting", "opened_by": "id", "created_ts": "time", "due_ts": "time", "closed_ts": "time", "identity_checked_by": "id", "identity_checked_ts": "time", "version": "number", "key_id": "number", "sealed": "sealed"}');
create index privacy_requests_by_user on privacy_requests (user_id, created_ts);
create index privacy_requests_by_due on privacy_requests (due_ts, request_id);

-- Who agreed to what, and withdrew it; nothing of it is changed.
create table consents (
  consent_id bigint generated always as identity primary key,
  user_id text collate "C" not null,
  policy text collate "C" not null,
  version text collate "C" not null,
  locale text collate "C" not null,
  is_given boolean not null,
  ts bigint not null
);
select set_column_classes('consents', '{"consent_id": "number", "user_id": "id", "policy": "setting", "version": "setting", "locale": "setting", "is_given": "flag", "ts": "time"}');
create index consents_by_user on consents (user_id, policy, consent_id);

-- Up to which record of the audit log users were told of reads. One row.
create table told_reads (
  is_only boolean primary key default true check (is_only),
  seq bigint
);
select set_column_classes('told_reads', '{"is_only": "flag", "seq": "number"}');
insert into told_reads default values;

create function store_privacy(p_rows jsonb, starts bigint[]) returns void language plpgsql as $$
#variable_conflict use_column
begin
  insert into consents (user_id, policy, version, locale, is_given, ts)
  select user_id, policy, version, locale, is_given, database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'consents', '[]'))
    as r(w int, user_id text, policy text, version text, locale text, is_given boolean)
  where starts[r.w + 1] is not null;
  insert into privacy_requests (request_id, user_id, kind, opened_by, created_ts, due_ts, key_id, sealed)
  select request_id, user_id, kind, opened_by, database_ms(), database_ms() + r.due_in_ms, key_id, sealed
  from jsonb_to_recordset(coalesce(p_rows->'privacy_requests', '[]'))
    as r(w int, request_id text, user_id text, kind text, opened_by text, due_in_ms bigint, key_id bigint, sealed bytea)
  where starts[r.w + 1] is not null;
  update privacy_requests q set
    version = q.version + 1, state = r.state, due_ts = r.due_ts,
    -- Of who was erased what was sealed stays as it is: nobody opens it.
    key_id = coalesce(r.key_id, q.key_id), sealed = coalesce(r.sealed, q.sealed),
    closed_ts = case when r.state in ('done', 'refused', 'withdrawn') then coalesce(q.closed_ts, database_ms()) end,
    identity_checked_by = coalesce(r.checked_by, q.identity_checked_by),
    identity_checked_ts = case when r.checked_by is null then q.identity_checked_ts else database_ms() end
  from jsonb_to_recordset(coalesce(p_rows->'privacy_request_changes', '[]'))
    as r(w int, request_id text, version int, state text, due_ts bigint, checked_by text, key_id bigint, sealed bytea)
  where q.request_id = r.request_id and q.version = r.version and starts[r.w + 1] is not null;
end $$;

-- Whether anything keeps a user's data from being destroyed.
create function is_erasure_held(p_user_id text) returns boolean language sql stable as $$
  select has_left_held(p_user_id) or exists (
    select from memberships m where m.user_id = p_user_id and is_room_held(m.room_nid))
$$;

create function add_erased(p_job text, p_what text, p_count bigint) returns void language sql as $$
  insert into erasure_tallies as known (job_id, what, count)
  select p_job, p_what, p_count where p_count > 0
  on conflict (job_id, what) do update set count = known.count + excluded.count
$$;

-- What a step of an erasure does at the most, besides what it was given.
create function most_erased() returns integer language sql immutable as 'select 400';

-- What a step of an erasure may do: `go`, `held` while something keeps it, `lost` where
-- another one has the task. It stays so until the step commits.
create function may_erase(p_job text, p_holder uuid, p_generation bigint, p_user text) returns text language plpgsql as $$
begin
  perform lock_against_holds();
  perform from admin_jobs
  where job_id = p_job and holder = p_holder and generation = p_generation
    and held_until > clock_timestamp() and state = 'active' for update;
  if not found then return 'lost'; end if;
  return case when is_erasure_held(p_user) then 'held' else 'go' end;
end $$;

-- Destroys the keys that a user's data are sealed under, after those of the words that they
-- held: `more` while some of these are left. What else was said there is read anew.
create function erase_keys(p_job text, p_holder uuid, p_generation bigint, p_user text) returns text language plpgsql as $$
declare
  verdict text := may_erase(p_job, p_holder, p_generation, p_user);
  doomed bigint[];
  count_own bigint;
  epoch integer;
begin
  if verdict <> 'go' then return verdict; end if;
  with words as (
    delete from keys where key_id = any(array(
      select w.key_id from memberships m join rooms r on r.room_nid = m.room_nid
      join keys w on w.scope = 'room-words' and w.owner = r.room_id
      join keys u on u.scope = 'user-span' and u.owner = p_user and u.span = w.span
      where m.user_id = p_user order by w.key_id limit most_erased()))
    returning key_id
  ), marked as (
    update search_spans set pending_from = 0 where key_id in (select key_id from words)
  )
  select coalesce(array_agg(key_id), '{}') into doomed from words;
  verdict := case when cardinality(doomed) = most_erased() then 'more' else 'go' end;
  if verdict = 'go' then
    with gone as (
      delete from keys where owner = p_user and scope in ('user', 'user-span', 'user-files', 'member')
      returning key_id, master_epoch
    )
    select doomed || coalesce(array_agg(key_id), '{}'), count(*), max(master_epoch) into doomed, count_own, epoch from gone;
  end if;
  perform add_erased(p_job, 'keys', count_own);
  perform add_erased(p_job, 'master epoch', epoch)
  where not exists (select from erasure_tallies where job_id = p_job and what = 'master epoch');
  -- One notification holds 8,000 bytes; who cannot be told which forgets them all.
  perform pg_notify('myelin', json_build_object('destroyed', part)::text)
  from (
    select array_agg(key_id) as part from unnest(doomed) with ordinality as d(key_id, n) group by (n - 1) / 300
    union all select '{}'
  ) parts;
  return verdict;
end $$;

-- Destroys the contents of these events: they read as if redacted from here on. Before go
-- the notifications of them, of which there may be many: `more` while some are left.
create function erase_events(p_job text, p_holder uuid, p_generation bigint, p_user text, p_nids bigint[]) returns text
language plpgsql as $$
declare
  verdict text := may_erase(p_job, p_holder, p_generation, p_user);
  notified bigint;
begin
  if verdict <> 'go' then return verdict; end if;
  delete from notifications where ctid = any(array(
    select ctid from notifications where nid = any(p_nids) limit most_erased()));
  get diagnostics notified = row_count;
  perform add_erased(p_job, 'notifications of others', notified);
  if notified = most_erased() then return 'more'; end if;
  perform from threads t join (
    select distinct room_nid, relates_to from events where nid = any(p_nids) and rel_type = 'm.thread'
  ) named on (t.room_nid, t.thread) = (named.room_nid, named.relates_to)
  order by t.room_nid, t.thread for update of t;
  perform from events where nid = any(p_nids) order by nid for update;
  with contents as (
    delete from event_contents where nid = any(p_nids) returning first_key
  ), words as (
    delete from search_events where nid = any(p_nids) returning nid
  ), cited as (
    delete from media_references where nid = any(p_nids) returning nid
  ), pushed as (
    delete from push_queue where nid = any(p_nids) returning nid
  ), unmarked as (
    update events set device_id = null, txn_id = null,
      redacted_by = case when state_key is null then coalesce(redacted_by, 0) else redacted_by end
    where nid = any(p_nids)
  ), replies as (
    update threads set replies = threads.replies - gone.replies, last_position = coalesce((
        select e.position from events e
        where e.room_nid = threads.room_nid and e.relates_to = threads.thread and e.rel_type = 'm.thread'
          and e.state_key is null and e.status = 0 and e.redacted_by is null
          and e.nid <> all(p_nids) and e.position is not null
        order by e.position desc limit 1), 0)
    from (
      select room_nid, relates_to as thread, count(*) as replies from events
      where nid = any(p_nids) and rel_type = 'm.thread' and state_key is null and status = 0
        and redacted_by is null and position is not null
      group by 1, 2) gone
    where (threads.room_nid, threads.thread) = (gone.room_nid, gone.thread)
  )
  insert into erasure_tallies as known (job_id, what, count)
  select p_job, what, count(*) from (
    select 'event contents' as what from contents
    union all select 'event contents that were not sealed' from contents where first_key = 0
    union all select 'words of events' from words
    union all select 'media references' from cited
    union all select 'pushes' from pushed
  ) gone group by what
  on conflict (job_id, what) do update set count = known.count + excluded.count;
  return 'go';
end $$;

-- Deletes media of a user, so many at the most, also such as are protected. Answers their blobs.
create function erase_media(
  p_job text, p_holder uuid, p_generation bigint, p_user text, p_limit integer, out verdict text, out blobs text[]
) language plpgsql as $$
declare
  plain bigint;
begin
  verdict := may_erase(p_job, p_holder, p_generation, p_user);
  blobs := '{}';
  if verdict <> 'go' then return; end if;
  with doomed as (
    select media_id from media where user_id = p_user order by media_id limit p_limit for update
  ), uncited as (
    delete from media_references using doomed where media_references.media_id = doomed.media_id
  ), gone as (
    delete from media using doomed where media.media_id = doomed.media_id
    returning coalesce(media.blob_id, '') as blob_id, media.sealed is not null and media.key_id = 0 as is_plain
  )
  select coalesce(array_agg(blob_id), '{}'), count(*) filter (where is_plain) into blobs, plain from gone;
  perform add_erased(p_job, 'media', cardinality(blobs));
  perform add_erased(p_job, 'media that were not sealed', plain);
end $$;

-- Whether rows of a table name the key that they are sealed under.
create function has_key(p_table text) returns boolean language sql stable as $$
  select count(*) = 2 from pg_attribute
  where attrelid = p_table::regclass and (attname, atttypid) in (('key_id', 'bigint'::regtype), ('sealed', 'bytea'::regtype))
$$;

-- Deletes rows that name a user in a column, so many at the most. Answers how many, or what
-- keeps it from that.
create function erase_rows(
  p_job text, p_holder uuid, p_generation bigint, p_user text, p_table text, p_column text, p_by_room boolean,
  p_limit integer, out verdict text, out count bigint
) language plpgsql as $$
declare
  plain bigint;
begin
  verdict := may_erase(p_job, p_holder, p_generation, p_user);
  count := 0;
  if verdict <> 'go' then return; end if;
  execute format(
    'with gone as (
      delete from %1$I where ctid = any(array(select t.ctid from %1$I t where t.%2$I = $1%3$s limit $2)) returning %4$s as is_plain)
    select count(*), count(*) filter (where is_plain) from gone',
    p_table, p_column,
    case when p_by_room then ' and t.room_nid = any(array(select m.room_nid from memberships m where m.user_id = $1))' else '' end,
    case when has_key(p_table) then 'key_id = 0 and octet_length(sealed) > 0' else 'false' end)
  into count, plain using p_user, p_limit;
  perform add_erased(p_job, p_table, count);
  perform add_erased(p_job, p_table || ' that were not sealed', plain);
end $$;

-- How many rows of tables name a user, each in a column; those of events in their rooms.
create function count_personal(p_user text, p_tables text[], p_columns text[], p_by_room boolean[])
returns table (name text, count bigint) language plpgsql stable as $$
begin
  for i in 1 .. cardinality(p_tables) loop
    name := p_tables[i];
    execute format('select count(*) from %I t where t.%I = $1%s', p_tables[i], p_columns[i],
      case when p_by_room[i] then ' and t.room_nid = any(array(select m.room_nid from memberships m where m.user_id = $1))' else '' end)
    into count using p_user;
    return next;
  end loop;
end $$;
