-- Legal holds: what they cover is destroyed by nobody until they are released.

create table holds (
  hold_id text collate "C" primary key,
  name text not null,
  case_id text collate "C" not null,
  reason text not null,
  -- Whose, and in which rooms; null for all.
  user_ids text[] collate "C",
  room_ids text[] collate "C",
  room_nids bigint[],
  -- Within which time, both ends with it; null for no end.
  from_ts bigint,
  until_ts bigint,
  created_by text collate "C" not null,
  created_ts bigint not null,
  released_by text collate "C",
  released_ts bigint,
  release_reason text
);
select set_column_classes('holds', '{"hold_id": "id", "name": "setting", "case_id": "setting", "reason": "setting", "user_ids": "id", "room_ids": "id", "room_nids": "number", "from_ts": "time", "until_ts": "time", "created_by": "id", "created_ts": "time", "released_by": "id", "released_ts": "time", "release_reason": "setting"}');
create index holds_by_time on holds (created_ts, hold_id);
-- The few that whoever destroys something asks.
create index holds_in_force on holds (hold_id) where released_ts is null;

-- What was redacted or destroyed of held events, as it was sealed: nobody reads it but who exports a hold.
create table held_contents (
  nid bigint primary key,
  -- One that is of it; when that one is released, another one that is, or none.
  hold_id text collate "C" not null,
  first_key bigint not null,
  second_key bigint not null,
  sealed bytea not null
);
select set_column_classes('held_contents', '{"nid": "number", "hold_id": "id", "first_key": "number", "second_key": "number", "sealed": "sealed"}');
create index held_contents_by_hold on held_contents (hold_id);

-- The files that it named.
create table held_references (
  nid bigint not null,
  media_id text collate "C" not null,
  hold_id text collate "C" not null,
  primary key (media_id, nid)
);
select set_column_classes('held_references', '{"nid": "number", "media_id": "id", "hold_id": "id"}');
create index held_references_by_event on held_references (nid);
create index held_references_by_hold on held_references (hold_id);

-- What was deleted or overwritten of what held users have besides: account data, profile,
-- backed-up keys, reports of them. As it was sealed.
create table held_data (
  held_id bigint generated always as identity primary key,
  hold_id text collate "C" not null,
  user_id text collate "C" not null,
  -- The event that was reported.
  nid bigint,
  -- The table that it was of, and the other columns of its row.
  source text collate "C" not null,
  place jsonb not null,
  kept_ts bigint not null,
  key_id bigint not null,
  sealed bytea not null
);
select set_column_classes('held_data', '{"held_id": "number", "hold_id": "id", "user_id": "id", "nid": "number", "source": "setting", "place": "id", "kept_ts": "time", "key_id": "number", "sealed": "sealed"}');
create index held_data_by_hold on held_data (hold_id, held_id);

-- First in a transaction that destroys: no hold begins before it is through. What a later
-- statement of it reads are all holds that anybody was told of.
create function lock_against_holds() returns void language sql as $$
  select pg_advisory_xact_lock_shared(hashtext('myelin holds'))
$$;

-- Whether an event is among what a hold names. A time that another server invented takes
-- nothing out of it.
create function is_hold_of(h holds, e events) returns boolean language sql immutable as $$
  select (h.user_ids is null or e.sender = any(h.user_ids))
    and (h.room_nids is null or e.room_nid = any(h.room_nids))
    and (e.origin_server_ts between coalesce(h.from_ts, 0) and coalesce(h.until_ts, 9223372036854775807)
      or e.received_ts between coalesce(h.from_ts, 0) and coalesce(h.until_ts, 9223372036854775807))
$$;

create function is_event_held(p_nid bigint) returns boolean language sql stable as $$
  select exists (
    select from holds h join events e on e.nid = p_nid where h.released_ts is null and is_hold_of(h, e))
$$;

-- One of those in force that an event is of.
create function hold_of_event(p_nid bigint) returns text language sql stable as $$
  select min(h.hold_id) from holds h join events e on e.nid = p_nid where h.released_ts is null and is_hold_of(h, e)
$$;

-- Whether a hold is of all that a user has, wherever; what has no time is of any.
create function is_person_held(p_user_id text) returns boolean language sql stable as $$
  select exists (
    select from holds h where h.released_ts is null and p_user_id = any(h.user_ids) and h.room_nids is null)
$$;

create function hold_of_person(p_user_id text) returns text language sql stable as $$
  select min(h.hold_id) from holds h
  where h.released_ts is null and p_user_id = any(h.user_ids) and h.room_nids is null
$$;

-- By who uploaded it and when, or by an event that names it or did.
create function is_media_held(p_media_id text) returns boolean language sql stable as $$
  select exists (select from holds where released_ts is null) and (exists (
    select from holds h join media m on m.media_id = p_media_id
    where h.released_ts is null and h.room_nids is null
      and (h.user_ids is null or m.user_id = any(h.user_ids))
      and m.created_ts between coalesce(h.from_ts, 0) and coalesce(h.until_ts, 9223372036854775807))
  or exists (select from media_references r where r.media_id = p_media_id and is_event_held(r.nid))
  or exists (select from held_references r where r.media_id = p_media_id and is_event_held(r.nid)))
$$;

-- Whether a hold names this user.
create function is_user_held(p_user_id text) returns boolean language sql stable as $$
  select exists (select from holds h where h.released_ts is null and p_user_id = any(h.user_ids))
$$;

-- Whether a hold is of this room, whoever said something there.
create function is_room_held(p_room_nid bigint) returns boolean language sql stable as $$
  select exists (
    select from holds h where h.released_ts is null and h.user_ids is null and p_room_nid = any(h.room_nids))
$$;

-- Whether anything in a room is of a time.
create function has_of_time(p_room_nid bigint, p_from bigint, p_until bigint) returns boolean language sql stable as $$
  select exists (
    select from events e
    where e.room_nid = p_room_nid and e.arrival is not null and e.origin_server_ts between p_from and p_until)
  or exists (
    select from events e
    where e.room_nid = p_room_nid and e.received_ts <> e.origin_server_ts and e.received_ts between p_from and p_until)
  or exists (
    select from events e
    where e.room_nid = p_room_nid and e.arrival is null and e.origin_server_ts between p_from and p_until)
$$;

-- Whether anything that a user said or uploaded is of a time.
create function left_of_time(p_user_id text, p_from bigint, p_until bigint) returns boolean language sql stable as $$
  select exists (
    select from media m where m.user_id = p_user_id and m.created_ts between p_from and p_until)
  or exists (
    select from memberships m join events e on e.room_nid = m.room_nid and e.sender = m.user_id
    where m.user_id = p_user_id and e.arrival is not null and e.origin_server_ts between p_from and p_until)
  or exists (
    select from memberships m join events e on e.room_nid = m.room_nid and e.sender = m.user_id
    where m.user_id = p_user_id and e.received_ts <> e.origin_server_ts and e.received_ts between p_from and p_until)
$$;

-- Whether a user may have anything that is held: a hold names them, or a time of which they have something.
create function has_left_held(p_user_id text) returns boolean language sql stable as $$
  select is_user_held(p_user_id) or exists (
    select from holds h
    where h.released_ts is null and h.user_ids is null and h.room_nids is null
      and left_of_time(p_user_id, coalesce(h.from_ts, 0), coalesce(h.until_ts, 9223372036854775807)))
$$;

-- Whether a room may have anything that is held: a hold is of it, of a user who was there, or
-- of a time of which there is something.
create function has_held(p_room_nid bigint) returns boolean language sql stable as $$
  select exists (
    select from holds h
    where h.released_ts is null and case
      when h.room_nids is not null then p_room_nid = any(h.room_nids)
      when h.user_ids is not null then exists (
        select from memberships m where m.room_nid = p_room_nid and m.user_id = any(h.user_ids))
      else has_of_time(p_room_nid, coalesce(h.from_ts, 0), coalesce(h.until_ts, 9223372036854775807)) end)
$$;

-- Whoever destroys the content of an event, and for whatever reason, leaves it here while a hold is of it.
create function keep_held_content() returns trigger language plpgsql as $$
begin
  perform lock_against_holds();
  -- A statement of its own: it reads what was committed before the lock was had.
  if is_event_held(old.nid) then
    insert into held_contents (nid, hold_id, first_key, second_key, sealed)
    values (old.nid, hold_of_event(old.nid), old.first_key, old.second_key, old.sealed) on conflict do nothing;
  end if;
  return old;
end $$;
create trigger event_contents_keep_held before delete on event_contents for each row execute function keep_held_content();

create function keep_held_reference() returns trigger language plpgsql as $$
begin
  perform lock_against_holds();
  if is_event_held(old.nid) then
    insert into held_references (nid, media_id, hold_id)
    values (old.nid, old.media_id, hold_of_event(old.nid)) on conflict do nothing;
  end if;
  return old;
end $$;
create trigger media_references_keep_held before delete on media_references for each row execute function keep_held_reference();

-- The skeleton of what is held stays. What has no place in its room yet is stored anew when it gets one.
create function keep_held_event() returns trigger language plpgsql as $$
begin
  perform lock_against_holds();
  if is_event_held(old.nid) then return null; end if;
  return old;
end $$;
create trigger events_keep_held before delete on events for each row when (old.arrival is not null) execute function keep_held_event();

create function keep_held_medium() returns trigger language plpgsql as $$
begin
  perform lock_against_holds();
  if is_media_held(old.media_id) then return null; end if;
  return old;
end $$;
create trigger media_keep_held before delete on media for each row when (old.blob_id is not null) execute function keep_held_medium();

-- A key that may have sealed something held. Those of words go: what they sealed is read anew.
create function is_key_held(p_scope text, p_owner text) returns boolean language sql stable as $$
  select case
    when p_scope in ('user', 'user-span', 'user-files', 'member') then has_left_held(p_owner) or exists (
      select from holds h join memberships m on m.user_id = p_owner and m.room_nid = any(h.room_nids)
      where h.released_ts is null and h.user_ids is null)
    when p_scope in ('room-span', 'room-state') then exists (
      select from rooms r where r.room_id = p_owner and has_held(r.room_nid))
    else false end
$$;

create function keep_held_key() returns trigger language plpgsql as $$
begin
  perform lock_against_holds();
  if is_key_held(old.scope, old.owner) then return null; end if;
  return old;
end $$;
create trigger keys_keep_held before delete on keys for each row execute function keep_held_key();

-- Whoever deletes or overwrites what a held user has, also the user, leaves what was there before.
create function keep_held_data() returns trigger language plpgsql as $$
begin
  perform lock_against_holds();
  -- Emptied before, there is nothing of it left.
  if is_person_held(old.user_id) and octet_length(old.sealed) > 0 then
    insert into held_data (hold_id, user_id, source, place, kept_ts, key_id, sealed)
    values (hold_of_person(old.user_id), old.user_id, tg_table_name, to_jsonb(old) - '{user_id,key_id,sealed}'::text[],
      database_ms(), old.key_id, old.sealed);
  end if;
  if tg_op = 'DELETE' then return old; end if;
  return new;
end $$;
create trigger account_data_keep_held before delete or update of sealed on account_data
  for each row execute function keep_held_data();
create trigger profile_fields_keep_held before delete or update of sealed on profile_fields
  for each row execute function keep_held_data();
create trigger key_backups_keep_held before delete or update of sealed on key_backups
  for each row execute function keep_held_data();
-- A key that takes another one's place opens more than that did.
create trigger backed_up_keys_keep_held before delete on backed_up_keys
  for each row execute function keep_held_data();

-- Whom a report is of: the user, or who sent the event.
create function is_report_held(p_user_id text, p_event_id text) returns boolean language sql stable as $$
  select is_person_held(p_user_id)
    or exists (select from events e where e.event_id = p_event_id and is_event_held(e.nid))
$$;

create function keep_held_report() returns trigger language plpgsql as $$
begin
  perform lock_against_holds();
  if is_report_held(old.user_id, old.event_id) then
    insert into held_data (hold_id, user_id, nid, source, place, kept_ts, key_id, sealed)
    select coalesce(hold_of_person(old.user_id), hold_of_event(e.nid)), coalesce(old.user_id, e.sender), e.nid, 'reports',
      to_jsonb(old) - '{user_id,key_id,sealed}'::text[], database_ms(), old.key_id, old.sealed
    from (select) as one left join events e on e.event_id = old.event_id;
  end if;
  return old;
end $$;
create trigger reports_keep_held before delete on reports for each row execute function keep_held_report();

-- Of what was kept for holds that are released since, so many rows of each kind: what another
-- one is of stays for that one, the rest goes. A hold that begins meanwhile waits, or is seen.
create function destroy_released(p_limit bigint) returns bigint language plpgsql as $$
declare
  contents bigint;
  cited bigint;
  data bigint;
begin
  perform lock_against_holds();
  with released as materialized (
    select kept.nid, hold_of_event(kept.nid) as heir
    from holds h cross join lateral (select nid from held_contents c where c.hold_id = h.hold_id limit p_limit) kept
    where h.released_ts is not null limit p_limit
  ), passed as (
    update held_contents set hold_id = r.heir from released r where held_contents.nid = r.nid and r.heir is not null
  ), gone as (
    delete from held_contents using released r where held_contents.nid = r.nid and r.heir is null
  )
  select count(*) into contents from released;
  with released as materialized (
    select kept.nid, kept.media_id, hold_of_event(kept.nid) as heir
    from holds h
    cross join lateral (select nid, media_id from held_references c where c.hold_id = h.hold_id limit p_limit) kept
    where h.released_ts is not null limit p_limit
  ), passed as (
    update held_references c set hold_id = r.heir from released r
    where (c.media_id, c.nid) = (r.media_id, r.nid) and r.heir is not null
  ), gone as (
    delete from held_references using released r
    where (held_references.media_id, held_references.nid) = (r.media_id, r.nid) and r.heir is null
  )
  select count(*) into cited from released;
  with released as materialized (
    select kept.held_id, coalesce(hold_of_person(kept.user_id), hold_of_event(kept.nid)) as heir
    from holds h
    cross join lateral (select held_id, user_id, nid from held_data c where c.hold_id = h.hold_id limit p_limit) kept
    where h.released_ts is not null limit p_limit
  ), passed as (
    update held_data c set hold_id = r.heir from released r where c.held_id = r.held_id and r.heir is not null
  ), gone as (
    delete from held_data using released r where held_data.held_id = r.held_id and r.heir is null
  )
  select count(*) into data from released;
  return contents + cited + data;
end $$;

-- The rows of a batch that place and release holds; the batch has locked out whoever destroys.
create function store_holds(p_rows jsonb, starts bigint[], p_now bigint) returns void language plpgsql as $$
#variable_conflict use_column
begin
  insert into holds (hold_id, name, case_id, reason, user_ids, room_ids, room_nids, from_ts, until_ts, created_by, created_ts)
  select hold_id, name, case_id, reason, user_ids, room_ids, room_nids, from_ts, until_ts, created_by, p_now
  from jsonb_to_recordset(coalesce(p_rows->'holds', '[]'))
    as r(w int, hold_id text, name text, case_id text, reason text, user_ids text[], room_ids text[], room_nids bigint[],
      from_ts bigint, until_ts bigint, created_by text)
  where starts[r.w + 1] is not null;
  update holds set released_by = r.released_by, released_ts = p_now, release_reason = r.release_reason
  from jsonb_to_recordset(coalesce(p_rows->'hold_releases', '[]'))
    as r(w int, hold_id text, released_by text, release_reason text)
  where holds.hold_id = r.hold_id and holds.released_ts is null and starts[r.w + 1] is not null;
end $$;
