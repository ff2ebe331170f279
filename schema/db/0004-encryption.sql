-- What encryption needs of a server besides keys: who was in rooms with whom,
-- backups of keys, dehydrated devices, tokens to log in with, and where two
-- devices meet.

-- When each user was in each room: where the join stands, and what ended it. Two
-- users share a room at a position that lies in stays of both.
create table stays (
  user_id text collate "C" not null,
  room_nid bigint not null,
  joined_position bigint not null,
  left_position bigint,
  primary key (user_id, room_nid, joined_position)
);
select set_column_classes('stays', '{"user_id": "id", "room_nid": "number", "joined_position": "number", "left_position": "number"}');
create index stays_by_join on stays (room_nid, joined_position);
create index stays_by_leave on stays (room_nid, left_position) where left_position is not null;

insert into stays (user_id, room_nid, joined_position)
select user_id, room_nid, since_position from memberships where membership = 'join';

-- ─── Key backup ───

create table key_backups (
  user_id text collate "C" not null references users,
  -- 1, 2, 3 … of each user. A row that is deleted stays until a later one stands,
  -- so that no version is given out twice.
  version bigint not null,
  algorithm text collate "C" not null,
  -- auth_data
  key_id bigint not null,
  sealed bytea not null,
  is_deleted boolean not null default false,
  -- Rises with each change of its keys.
  etag bigint not null default 0,
  key_count bigint not null default 0,
  key_bytes bigint not null default 0,
  primary key (user_id, version)
);
select set_column_classes('key_backups', '{"user_id": "id", "version": "number", "algorithm": "protocol", "key_id": "number", "sealed": "sealed", "is_deleted": "flag", "etag": "number", "key_count": "number", "key_bytes": "number"}');
create index key_backups_deleted on key_backups (user_id, version) where is_deleted;

create table backed_up_keys (
  user_id text collate "C" not null,
  version bigint not null,
  room_id text collate "C" not null,
  session_id text collate "C" not null,
  first_message_index bigint not null,
  forwarded_count bigint not null,
  is_verified boolean not null,
  -- session_data
  key_id bigint not null,
  sealed bytea not null,
  primary key (user_id, version, room_id, session_id)
);
select set_column_classes('backed_up_keys', '{"user_id": "id", "version": "number", "room_id": "id", "session_id": "id", "first_message_index": "number", "forwarded_count": "number", "is_verified": "flag", "key_id": "number", "sealed": "sealed"}');

-- Puts keys into the newest backup, if that is still the version that is meant.
-- Of two keys of a session the better one stays: a verified one, then the one
-- that opens more messages, then the one that was forwarded less often.
create function back_up_keys(
  p_user text,
  p_version bigint,
  p_rooms text[],
  p_sessions text[],
  p_indexes bigint[],
  p_forwards bigint[],
  p_verified boolean[],
  p_key bigint,
  p_sealed bytea[],
  p_most_keys bigint,
  p_most_bytes bigint
) returns jsonb language plpgsql as $$
#variable_conflict use_column
declare
  latest bigint;
  answer jsonb;
begin
  -- Writers of one backup go one after the other, so its counts are what is stored.
  select version into latest from key_backups
  where user_id = p_user and not is_deleted order by version desc limit 1 for no key update;
  if latest is distinct from p_version then
    return jsonb_build_object('status', 'wrong-version', 'current', latest);
  end if;
  perform from keys where key_id = p_key for key share;
  if p_key <> 0 and not found then
    return '{"status": "key"}';
  end if;

  with offered as (
    select * from unnest(p_rooms, p_sessions, p_indexes, p_forwards, p_verified, p_sealed)
      as o(room_id, session_id, first_message_index, forwarded_count, is_verified, sealed)
  ), better as materialized (
    select o.*, k.user_id is null as is_new,
      octet_length(o.sealed) - coalesce(octet_length(k.sealed), 0) as bytes
    from offered o left join backed_up_keys k on k.user_id = p_user and k.version = p_version
      and k.room_id = o.room_id and k.session_id = o.session_id
    where k.user_id is null or (o.is_verified, k.first_message_index, k.forwarded_count)
      > (k.is_verified, o.first_message_index, o.forwarded_count)
  ), added as materialized (
    select count(*) filter (where is_new) as key_count, coalesce(sum(bytes), 0)::bigint as key_bytes,
      count(*) as changes
    from better
  ), fitting as materialized (
    select added.* from added, (
      select sum(key_count) as key_count, sum(key_bytes) as key_bytes from key_backups where user_id = p_user
    ) held
    where held.key_count + added.key_count <= p_most_keys and held.key_bytes + added.key_bytes <= p_most_bytes
  ), stored as (
    insert into backed_up_keys (user_id, version, room_id, session_id, first_message_index, forwarded_count,
      is_verified, key_id, sealed)
    select p_user, p_version, b.room_id, b.session_id, b.first_message_index, b.forwarded_count, b.is_verified,
      p_key, b.sealed
    from better b, fitting
    on conflict (user_id, version, room_id, session_id) do update set
      first_message_index = excluded.first_message_index, forwarded_count = excluded.forwarded_count,
      is_verified = excluded.is_verified, key_id = excluded.key_id, sealed = excluded.sealed
  )
  update key_backups b set etag = b.etag + (f.changes > 0)::int, key_count = b.key_count + f.key_count,
    key_bytes = b.key_bytes + f.key_bytes
  from fitting f where b.user_id = p_user and b.version = p_version
  returning jsonb_build_object('status', 'stored', 'etag', b.etag, 'count', b.key_count) into answer;
  return coalesce(answer, '{"status": "full"}');
end $$;

-- Takes at most so many keys out of a backup: of one session, of one room, or of all.
-- Null where there is no such backup.
create function delete_backed_up_keys(
  p_user text,
  p_version bigint,
  p_room text,
  p_session text,
  p_most integer
) returns jsonb language plpgsql as $$
#variable_conflict use_column
declare
  targets tid[];
  answer jsonb;
begin
  perform from key_backups where user_id = p_user and version = p_version and not is_deleted for no key update;
  if not found then
    return null;
  end if;
  if p_session is not null then
    targets := array(select ctid from backed_up_keys
      where user_id = p_user and version = p_version and room_id = p_room and session_id = p_session);
  elsif p_room is not null then
    targets := array(select ctid from backed_up_keys
      where user_id = p_user and version = p_version and room_id = p_room limit p_most);
  else
    targets := array(select ctid from backed_up_keys
      where user_id = p_user and version = p_version limit p_most);
  end if;
  with gone as (
    delete from backed_up_keys where ctid = any(targets) returning octet_length(sealed) as bytes
  ), totals as (
    select count(*) as key_count, coalesce(sum(bytes), 0)::bigint as key_bytes from gone
  )
  update key_backups b set etag = b.etag + (t.key_count > 0)::int, key_count = b.key_count - t.key_count,
    key_bytes = b.key_bytes - t.key_bytes
  from totals t where b.user_id = p_user and b.version = p_version
  returning jsonb_build_object('etag', b.etag, 'count', b.key_count, 'deleted', t.key_count) into answer;
  return answer;
end $$;

-- ─── Dehydrated devices ───

create table dehydrated_devices (
  user_id text collate "C" primary key references users,
  -- Null where it was removed. The row stays: its position tells one upload from the next.
  device_id text collate "C",
  position bigint not null,
  key_id bigint not null,
  -- device_data
  sealed bytea
);
select set_column_classes('dehydrated_devices', '{"user_id": "id", "device_id": "id", "position": "number", "key_id": "number", "sealed": "sealed"}');

-- ─── Signing in ───

-- Given out to a session; whoever comes with one first opens a session of the same user.
create table login_tokens (
  token_hash bytea primary key,
  user_id text collate "C" not null,
  device_id text collate "C" not null,
  -- Of the password's hash: another password voids the token.
  password_hash_digest bytea not null,
  expires_ts bigint not null,
  foreign key (user_id, device_id) references devices on delete cascade
);
select set_column_classes('login_tokens', '{"token_hash": "hash", "user_id": "id", "device_id": "id", "password_hash_digest": "hash", "expires_ts": "time"}');
create index login_tokens_by_device on login_tokens (user_id, device_id);
create index login_tokens_by_end on login_tokens (expires_ts);

-- Where two devices leave each other short messages while one signs in the other.
create unlogged table rendezvous_sessions (
  id_hash bytea primary key,
  -- Another one with each message.
  revision text collate "C" not null,
  payload bytea not null,
  modified_ts bigint not null,
  expires_ts bigint not null
);
select set_column_classes('rendezvous_sessions', '{"id_hash": "hash", "revision": "number", "payload": "protocol", "modified_ts": "time", "expires_ts": "time"}');
create index rendezvous_sessions_by_end on rendezvous_sessions (expires_ts);
