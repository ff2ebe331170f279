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
  first_key bigint not null,
  second_key bigint not null,
  sealed bytea not null
);
select set_column_classes('held_contents', '{"nid": "number", "first_key": "number", "second_key": "number", "sealed": "sealed"}');

-- The files that it named.
create table held_references (
  nid bigint not null,
  media_id text collate "C" not null,
  primary key (media_id, nid)
);
select set_column_classes('held_references', '{"nid": "number", "media_id": "id"}');
create index held_references_by_event on held_references (nid);

-- First in a transaction that destroys: no hold begins before it is through. What a later
-- statement of it reads are all holds that anybody was told of.
create function lock_against_holds() returns void language sql as $$
  select pg_advisory_xact_lock_shared(hashtext('myelin holds'))
$$;

create function is_event_held(p_nid bigint) returns boolean language sql stable as $$
  select exists (
    select from holds h join events e on e.nid = p_nid
    where h.released_ts is null
      and (h.user_ids is null or e.sender = any(h.user_ids))
      and (h.room_nids is null or e.room_nid = any(h.room_nids))
      -- A time that another server invented takes nothing out of a hold.
      and (e.origin_server_ts between coalesce(h.from_ts, 0) and coalesce(h.until_ts, 9223372036854775807)
        or e.received_ts between coalesce(h.from_ts, 0) and coalesce(h.until_ts, 9223372036854775807)))
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

-- Whether a hold is of this user, wherever.
create function is_user_held(p_user_id text) returns boolean language sql stable as $$
  select exists (
    select from holds h
    where h.released_ts is null and (p_user_id = any(h.user_ids) or h.user_ids is null and h.room_nids is null))
$$;

-- Whether a hold is of this room, whoever said something there.
create function is_room_held(p_room_nid bigint) returns boolean language sql stable as $$
  select exists (
    select from holds h
    where h.released_ts is null and h.user_ids is null and (h.room_nids is null or p_room_nid = any(h.room_nids)))
$$;

-- Whether a room may have anything that is held: it is, or a user who was there.
create function has_held(p_room_nid bigint) returns boolean language sql stable as $$
  select exists (
    select from holds h
    where h.released_ts is null and (h.room_nids is null or p_room_nid = any(h.room_nids))
      and (h.user_ids is null or h.room_nids is not null or exists (
        select from memberships m where m.room_nid = p_room_nid and m.user_id = any(h.user_ids))))
$$;

-- Whoever destroys the content of an event, and for whatever reason, leaves it here while a hold is of it.
create function keep_held_content() returns trigger language plpgsql as $$
begin
  perform lock_against_holds();
  -- A statement of its own: it reads what was committed before the lock was had.
  if is_event_held(old.nid) then
    insert into held_contents (nid, first_key, second_key, sealed)
    values (old.nid, old.first_key, old.second_key, old.sealed) on conflict do nothing;
  end if;
  return old;
end $$;
create trigger event_contents_keep_held before delete on event_contents for each row execute function keep_held_content();

create function keep_held_reference() returns trigger language plpgsql as $$
begin
  perform lock_against_holds();
  if is_event_held(old.nid) then
    insert into held_references (nid, media_id) values (old.nid, old.media_id) on conflict do nothing;
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
    when p_scope in ('user', 'user-span', 'member') then is_user_held(p_owner) or exists (
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

-- What was kept of events that no hold is of any more; a hold that begins meanwhile waits, or is seen.
create function destroy_released(p_limit bigint) returns bigint language plpgsql as $$
declare
  contents bigint;
  cited bigint;
begin
  perform lock_against_holds();
  delete from held_contents where nid = any(array(
    select h.nid from held_contents h where not is_event_held(h.nid) limit p_limit));
  get diagnostics contents = row_count;
  delete from held_references where ctid = any(array(
    select r.ctid from held_references r where not is_event_held(r.nid) limit p_limit));
  get diagnostics cited = row_count;
  return contents + cited;
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
