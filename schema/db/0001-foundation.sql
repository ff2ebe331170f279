-- The foundation: rooms and their events, people and their devices, the one
-- stream that orders them, and the keys that seal them.

create function set_column_classes(of_table text, classes jsonb) returns void language plpgsql as $$
declare
  entry record;
begin
  for entry in select key, value from jsonb_each_text(classes) loop
    execute format('comment on column %I.%I is %L', of_table, entry.key, entry.value);
  end loop;
end $$;
comment on function set_column_classes is 'Names the privacy class of each column: id, time, number, flag, hash, secret, sealed, protocol or setting.';

-- One source of numbers for rooms, events, snapshots and keys. A process takes
-- a block of a thousand; numbers are never reused and their order means nothing.
create sequence nids as bigint increment by 1000 minvalue 1000 start with 1000;

create table server_settings (
  name text collate "C" primary key,
  value text not null
);
select set_column_classes('server_settings', '{"name": "setting", "value": "setting"}');

-- ─── The stream ───

-- Insert-only: its last row is the head of the stream. A batch whose outcome was
-- lost is settled by inserting its id as void (neither position nor losers).
create table batches (
  batch_id uuid primary key,
  last_position bigint unique,
  -- Per write why it was lost, or null; null if all won.
  lost jsonb,
  room_nids bigint[] not null default '{}',
  user_ids text[] not null default '{}',
  committed_ts bigint not null
);
select set_column_classes('batches', '{"batch_id": "number", "last_position": "number", "lost": "id", "room_nids": "number", "user_ids": "id", "committed_ts": "time"}');

create table idempotency (
  key bytea primary key,
  answer text not null,
  created_ts bigint not null
);
select set_column_classes('idempotency', '{"key": "hash", "answer": "id", "created_ts": "time"}');
-- The oldest are purged first. Rows of one batch share their time, so it stays small.
create index idempotency_by_age on idempotency (created_ts);

-- ─── Keys ───

create table keys (
  key_id bigint primary key,
  scope text collate "C" not null check (scope in ('user', 'user-span', 'user-files', 'room-span', 'room-state', 'room-words', 'member')),
  owner text collate "C" not null,
  span text collate "C" not null,
  master_epoch integer not null,
  wrapped bytea not null,
  created_ts bigint not null,
  unique (scope, owner, span)
);
select set_column_classes('keys', '{"key_id": "number", "scope": "setting", "owner": "id", "span": "time", "master_epoch": "number", "wrapped": "secret", "created_ts": "time"}');

-- ─── Rooms ───

create table rooms (
  room_nid bigint primary key,
  room_id text collate "C" not null unique,
  room_version text collate "C" not null,
  -- Compared and set by every change of current state, and of what it reads like.
  state_version bigint not null default 0,
  snapshot_id bigint,
  is_published boolean not null default false,
  -- False for a room that we know of (an invite from elsewhere) but are not in.
  is_resident boolean not null default true,
  -- What is said there is sealed under a key of the day rather than of the month.
  has_daily_keys boolean not null default false,
  -- Up to here nothing is left to be unread.
  expired_position bigint not null default 0,
  -- Kept by what changes memberships: a crowded room is not counted through for each who looks at it.
  joined_members int not null default 0,
  invited_members int not null default 0,
  created_ts bigint not null
);
select set_column_classes('rooms', '{"room_nid": "number", "room_id": "id", "room_version": "setting", "state_version": "number", "snapshot_id": "number", "is_published": "flag", "is_resident": "flag", "has_daily_keys": "flag", "expired_position": "number", "joined_members": "number", "invited_members": "number", "created_ts": "time"}');
create index rooms_published on rooms (room_nid) where is_published;

create table room_aliases (
  alias text collate "C" primary key,
  room_nid bigint not null references rooms,
  creator text collate "C" not null,
  created_ts bigint not null
);
select set_column_classes('room_aliases', '{"alias": "id", "room_nid": "number", "creator": "id", "created_ts": "time"}');
create index room_aliases_room on room_aliases (room_nid);

-- type and state_key stand JSON-escaped in every table, so that \u0000 fits.
create table events (
  nid bigint primary key,
  room_nid bigint not null,
  -- Its place in the stream; null for outliers and backfilled events.
  position bigint,
  -- The paging key: depth, clamped, then arrival (the position; backfilled
  -- events count downwards from -1). Both null for outliers.
  depth bigint not null,
  arrival bigint,
  origin_server_ts bigint not null,
  received_ts bigint not null,
  -- Room state before it, and for accepted state events the one after it.
  snapshot_id bigint,
  snapshot_after bigint,
  -- The event that stood at this type and state key before.
  replaces_nid bigint,
  -- 0 where nobody redacted it: its time was over.
  redacted_by bigint,
  -- Running counts of events that notify by default, in the room and in the thread.
  room_count bigint not null default 0,
  thread_count bigint not null default 0,
  -- 0 accepted, 1 soft-failed, 2 rejected, 3 purged: its place in the graph is all that is left.
  status smallint not null default 0,
  is_countable boolean not null default false,
  -- Its content has a url: what contains_url of a filter asks for.
  has_url boolean not null default false,
  event_id text collate "C" not null unique,
  type text collate "C" not null,
  state_key text collate "C",
  sender text collate "C" not null,
  device_id text collate "C",
  txn_id text collate "C",
  redacts text collate "C",
  rel_type text collate "C",
  relates_to text collate "C",
  thread text collate "C",
  refusal text,
  skeleton text not null
);
select set_column_classes('events', '{"nid": "number", "room_nid": "number", "position": "number", "depth": "number", "arrival": "number", "origin_server_ts": "time", "received_ts": "time", "snapshot_id": "number", "snapshot_after": "number", "replaces_nid": "number", "redacted_by": "number", "room_count": "number", "thread_count": "number", "status": "number", "is_countable": "flag", "has_url": "flag", "event_id": "hash", "type": "protocol", "state_key": "id", "sender": "id", "device_id": "id", "txn_id": "id", "redacts": "id", "rel_type": "protocol", "relates_to": "id", "thread": "id", "refusal": "protocol", "skeleton": "protocol"}');
create index events_by_position on events (room_nid, position) where position is not null;
-- Where each room was last active: what orders the rooms of a sliding sync, whatever was said since.
create index events_bumps on events (room_nid, position)
  where position is not null and status = 0
    and type in ('m.room.create', 'm.room.message', 'm.room.encrypted', 'm.sticker', 'm.call.invite', 'm.poll.start', 'm.beacon_info');
create index events_by_paging_key on events (room_nid, depth, arrival) where arrival is not null;
-- What was said nearest to a time.
create index events_by_time on events (room_nid, origin_server_ts) where arrival is not null;
-- What is still there of a room, oldest first: messages, and state. A time that another server invented makes nothing younger.
create index events_aging on events (room_nid, least(origin_server_ts, received_ts))
  where redacted_by is null and status <> 3 and state_key is null;
create index events_aging_state on events (room_nid, least(origin_server_ts, received_ts))
  where redacted_by is null and status <> 3 and state_key is not null;
create index events_outlying on events (room_nid) where arrival is null;
create index events_by_thread on events (room_nid, thread, position) where thread is not null;
create index events_redacted_countable on events (room_nid, position) where is_countable and redacted_by is not null;
create index events_by_redacts on events (room_nid, redacts) where redacts is not null;
-- What relates to an event and was not redacted, all of it and of one kind; and of one sender, whatever became of it.
create index events_by_parent on events (room_nid, relates_to, position)
  where relates_to is not null and redacted_by is null;
create index events_by_relation on events (room_nid, relates_to, rel_type, position)
  where relates_to is not null and redacted_by is null;
create index events_by_relation_sender on events (room_nid, relates_to, rel_type, sender) where relates_to is not null;
-- Edits that may stand in an event's place, in the order in which they do.
create index events_edits on events (room_nid, relates_to, sender, origin_server_ts, event_id)
  where rel_type = 'm.replace' and state_key is null and status = 0 and redacted_by is null;

-- What redaction strips. The row alone names the keys that open it (0: not sealed).
create table event_contents (
  nid bigint primary key,
  first_key bigint not null,
  second_key bigint not null,
  sealed bytea not null
);
select set_column_classes('event_contents', '{"nid": "number", "first_key": "number", "second_key": "number", "sealed": "sealed"}');

create table forward_extremities (
  room_nid bigint not null,
  nid bigint not null,
  primary key (room_nid, nid)
);
select set_column_classes('forward_extremities', '{"room_nid": "number", "nid": "number"}');

-- Whose turn it is to write in a room that writers of messages keep too busy for
-- a state event, which has to follow all of them. It ends by itself soon.
create unlogged table room_turns (
  room_nid bigint primary key,
  holder text collate "C" not null,
  expires_ts timestamptz not null
);
select set_column_classes('room_turns', '{"room_nid": "number", "holder": "number", "expires_ts": "time"}');

-- A set of event numbers: a full one, or a parent with what was added and removed.
-- Sorted numbers as varints of their differences.
create table state_snapshots (
  snapshot_id bigint primary key,
  room_nid bigint not null,
  parent_id bigint,
  hops smallint not null,
  size integer not null,
  added bytea not null,
  removed bytea not null,
  -- Sum of the members' hashes, so that it moves with a delta.
  hash bytea not null
);
select set_column_classes('state_snapshots', '{"snapshot_id": "number", "room_nid": "number", "parent_id": "number", "hops": "number", "size": "number", "added": "number", "removed": "number", "hash": "hash"}');
create index state_snapshots_by_hash on state_snapshots (room_nid, hash);

create table current_state (
  room_nid bigint not null,
  type text collate "C" not null,
  state_key text collate "C" not null,
  nid bigint not null,
  primary key (room_nid, type, state_key)
);
select set_column_classes('current_state', '{"room_nid": "number", "type": "protocol", "state_key": "id", "nid": "number"}');

-- Every change of current state, also one that state resolution made without an event.
create table state_changes (
  room_nid bigint not null,
  position bigint not null,
  type text collate "C" not null,
  state_key text collate "C" not null,
  old_nid bigint,
  new_nid bigint,
  primary key (room_nid, position, type, state_key)
);
select set_column_classes('state_changes', '{"room_nid": "number", "position": "number", "type": "protocol", "state_key": "id", "old_nid": "number", "new_nid": "number"}');
-- What one entry of state was over time: visibility and membership histories.
create index state_changes_by_key on state_changes (room_nid, type, state_key, position);

create table memberships (
  user_id text collate "C" not null,
  room_nid bigint not null,
  membership text collate "C" not null check (membership in ('join', 'invite', 'leave', 'ban', 'knock')),
  sender text collate "C" not null,
  nid bigint not null,
  position bigint not null,
  -- Where the membership became what it is; later member events of the same
  -- membership (a new display name) leave it.
  since_position bigint not null,
  is_forgotten boolean not null default false,
  primary key (user_id, room_nid)
);
select set_column_classes('memberships', '{"user_id": "id", "room_nid": "number", "membership": "protocol", "sender": "id", "nid": "number", "position": "number", "since_position": "number", "is_forgotten": "flag"}');
create index memberships_by_room on memberships (room_nid, membership, position);
-- Who came or went lately, in rooms of any size.
create index memberships_by_change on memberships (room_nid, position);

-- p_signs: 1 for a membership that is there now, -1 for one that was.
create function shift_member_counts(p_rooms bigint[], p_memberships text[], p_signs int[]) returns void
language sql as $$
  update rooms set joined_members = joined_members + shifts.joined, invited_members = invited_members + shifts.invited
  from (
    select room_nid as shifted, sum(case membership when 'join' then sign else 0 end) as joined,
      sum(case membership when 'invite' then sign else 0 end) as invited
    from unnest(p_rooms, p_memberships, p_signs) as m(room_nid, membership, sign) group by room_nid
  ) shifts
  where room_nid = shifted and (shifts.joined <> 0 or shifts.invited <> 0)
$$;

create function keep_member_counts() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform shift_member_counts(array_agg(room_nid), array_agg(membership), array_agg(1)) from added;
  elsif tg_op = 'DELETE' then
    perform shift_member_counts(array_agg(room_nid), array_agg(membership), array_agg(-1)) from removed;
  else
    perform shift_member_counts(array_agg(room_nid), array_agg(membership), array_agg(sign)) from (
      select room_nid, membership, 1 as sign from added union all select room_nid, membership, -1 from removed) changes;
  end if;
  return null;
end $$;
create trigger memberships_added after insert on memberships
  referencing new table as added for each statement execute function keep_member_counts();
create trigger memberships_changed after update on memberships
  referencing old table as removed new table as added for each statement execute function keep_member_counts();
create trigger memberships_removed after delete on memberships
  referencing old table as removed for each statement execute function keep_member_counts();

-- The stripped state that an invited or knocking user is shown.
create table stripped_states (
  user_id text collate "C" not null,
  room_nid bigint not null,
  key_id bigint not null,
  sealed bytea not null,
  primary key (user_id, room_nid)
);
select set_column_classes('stripped_states', '{"user_id": "id", "room_nid": "number", "key_id": "number", "sealed": "sealed"}');

-- ─── Unread counts ───

-- The last countable event that each member sent, by thread ('main' or the root's
-- id): whoever speaks has read what was said before. Updated within a slice of the
-- stream and made anew in the next: as one row, all its versions were looked through for
-- each send while a snapshot was held, and sends fell to a fifteenth in ten minutes.
create table own_positions (
  room_nid bigint not null,
  user_id text collate "C" not null,
  thread text collate "C" not null,
  slice bigint not null,
  position bigint not null,
  primary key (room_nid, user_id, thread, slice)
);
select set_column_classes('own_positions', '{"room_nid": "number", "user_id": "id", "thread": "id", "slice": "number", "position": "number"}');

-- Whose push rules need more than the running counts: in one room, or everywhere ('').
-- 'keywords' adds rows for what matches; 'rows' has one row for each event that
-- notifies and leaves the running counts from its position on.
create table push_modes (
  user_id text collate "C" not null,
  room_id text collate "C" not null,
  mode text collate "C" not null check (mode in ('keywords', 'rows')),
  since_position bigint not null,
  position bigint not null,
  primary key (user_id, room_id)
);
select set_column_classes('push_modes', '{"user_id": "id", "room_id": "id", "mode": "setting", "since_position": "number", "position": "number"}');
create index push_modes_by_position on push_modes (position);

-- Events that a rule matched: mentions, keywords, custom rules. A row of nobody
-- ('') stands for everybody whose rules are the default ones: @room, a tombstone.
create table notifications (
  user_id text collate "C" not null,
  room_nid bigint not null,
  position bigint not null,
  nid bigint not null,
  thread text collate "C" not null,
  is_highlight boolean not null,
  -- False where the event is a plain countable one that the running count holds already.
  is_counted boolean not null,
  primary key (user_id, room_nid, position)
);
select set_column_classes('notifications', '{"user_id": "id", "room_nid": "number", "position": "number", "nid": "number", "thread": "id", "is_highlight": "flag", "is_counted": "flag"}');

create index notifications_by_nid on notifications (nid);

create table receipts (
  room_nid bigint not null,
  user_id text collate "C" not null,
  receipt_type text collate "C" not null,
  -- '' for an unthreaded receipt, else 'main' or the thread root's event id.
  thread text collate "C" not null,
  event_id text collate "C" not null,
  -- The stream position of that event.
  event_position bigint not null,
  receipt_ts bigint not null,
  position bigint not null,
  primary key (room_nid, user_id, receipt_type, thread)
);
select set_column_classes('receipts', '{"room_nid": "number", "user_id": "id", "receipt_type": "protocol", "thread": "id", "event_id": "id", "event_position": "number", "receipt_ts": "time", "position": "number"}');
create index receipts_by_position on receipts (room_nid, position);

-- ─── People ───

create table users (
  user_id text collate "C" primary key,
  password_hash text,
  is_deactivated boolean not null default false,
  is_locked boolean not null default false,
  -- It ends when the time is over in which that can be taken back: until then nobody can use it, and nothing of it goes.
  is_ending boolean not null default false,
  is_suspended boolean not null default false,
  is_guest boolean not null default false,
  created_ts bigint not null,
  -- Where in the stream the user asked that who comes later sees nothing of what they said.
  erased_position bigint,
  -- What the account is, where it is no person's own: bot, support, or what administrators call it.
  user_type text collate "C",
  -- What they say goes nowhere, and they are not told.
  is_shadow_banned boolean not null default false,
  -- In place of the limit that all have; 0 a second for none.
  messages_per_second integer,
  burst_count integer,
  -- From when on the account is of no use until somebody renews it.
  expires_ts bigint,
  -- Until when cross-signing keys may be replaced without the password.
  keys_open_until_ts bigint
);
-- The few whose deactivation may not have come to its end.
create index users_deactivated on users (user_id) where is_deactivated;
select set_column_classes('users', '{"user_id": "id", "password_hash": "secret", "is_deactivated": "flag", "is_locked": "flag", "is_ending": "flag", "is_suspended": "flag", "is_guest": "flag", "created_ts": "time", "erased_position": "number", "user_type": "setting", "is_shadow_banned": "flag", "messages_per_second": "number", "burst_count": "number", "expires_ts": "time", "keys_open_until_ts": "time"}');

create table devices (
  user_id text collate "C" not null references users,
  device_id text collate "C" not null,
  -- Sealed under the user's key: {"display_name", "last_seen_ip", "last_seen_user_agent"}.
  key_id bigint not null,
  sealed bytea not null,
  last_seen_ts bigint,
  created_ts bigint not null,
  primary key (user_id, device_id)
);
select set_column_classes('devices', '{"user_id": "id", "device_id": "id", "key_id": "number", "sealed": "sealed", "last_seen_ts": "time", "created_ts": "time"}');

create table access_tokens (
  token_hash bytea primary key,
  token_id bigint not null unique,
  user_id text collate "C" not null references users,
  device_id text collate "C" not null,
  expires_ts bigint,
  -- Noted for tokens that came of a refresh: from then on the one before is spent.
  is_used boolean not null default false,
  created_ts bigint not null,
  -- The administrator who acts in the user's place by it.
  acted_by text collate "C",
  foreign key (user_id, device_id) references devices on delete cascade
);
select set_column_classes('access_tokens', '{"token_hash": "hash", "token_id": "number", "user_id": "id", "device_id": "id", "expires_ts": "time", "is_used": "flag", "created_ts": "time", "acted_by": "id"}');
create index access_tokens_acting on access_tokens (expires_ts) where acted_by is not null;
create index access_tokens_by_device on access_tokens (user_id, device_id);

create table refresh_tokens (
  token_hash bytea primary key,
  user_id text collate "C" not null,
  device_id text collate "C" not null,
  -- The access token given out with it.
  access_token_id bigint not null,
  -- Set when it was used: the refresh token that replaced it. Used again after
  -- the replacement was used, it betrays a theft and ends the session.
  next_hash bytea,
  created_ts bigint not null,
  foreign key (user_id, device_id) references devices on delete cascade
);
select set_column_classes('refresh_tokens', '{"token_hash": "hash", "user_id": "id", "device_id": "id", "access_token_id": "number", "next_hash": "hash", "created_ts": "time"}');
create index refresh_tokens_by_device on refresh_tokens (user_id, device_id);

create table registration_tokens (
  token text collate "C" primary key,
  uses_allowed integer,
  completed integer not null default 0,
  expires_ts bigint,
  created_ts bigint not null
);
select set_column_classes('registration_tokens', '{"token": "secret", "uses_allowed": "number", "completed": "number", "expires_ts": "time", "created_ts": "time"}');

-- User-interactive authentication: shared by the processes, gone after minutes.
create table uia_sessions (
  session_id text collate "C" primary key,
  -- What the session may be used for: method, path, requester and a keyed hash of the body.
  operation text not null,
  completed text[] not null default '{}',
  details jsonb not null default '{}',
  created_ts bigint not null
);
select set_column_classes('uia_sessions', '{"session_id": "secret", "operation": "protocol", "completed": "protocol", "details": "id", "created_ts": "time"}');

create table registration_nonces (
  nonce_hash bytea primary key,
  expires_ts bigint not null
);
select set_column_classes('registration_nonces', '{"nonce_hash": "hash", "expires_ts": "time"}');

create table profile_fields (
  user_id text collate "C" not null,
  name text collate "C" not null,
  position bigint not null,
  key_id bigint not null,
  sealed bytea not null,
  -- The medium of ours that it is, such as an avatar.
  media_id text collate "C",
  primary key (user_id, name)
);
select set_column_classes('profile_fields', '{"user_id": "id", "name": "protocol", "position": "number", "key_id": "number", "sealed": "sealed", "media_id": "id"}');
create index profile_fields_by_medium on profile_fields (media_id) where media_id is not null;
-- Who has changed their profile lately: what the user directory reads on from.
create index profile_fields_by_position on profile_fields (position);

-- room_nid 0 stands for global account data. Deleted entries stay as rows without content.
create table account_data (
  user_id text collate "C" not null,
  room_nid bigint not null,
  type text collate "C" not null,
  position bigint not null,
  key_id bigint not null,
  sealed bytea,
  -- Media of ours that it names, such as a user's own packs of emoji do.
  media_ids text[] collate "C" not null default '{}',
  primary key (user_id, room_nid, type)
);
select set_column_classes('account_data', '{"user_id": "id", "room_nid": "number", "type": "protocol", "position": "number", "key_id": "number", "sealed": "sealed", "media_ids": "id"}');
create index account_data_by_medium on account_data using gin (media_ids) where media_ids <> '{}';
create index account_data_by_position on account_data (user_id, position);
-- Changes of anybody's push rules, by their place in the stream.
create index account_data_push_rules on account_data (position) where room_nid = 0 and type = 'm.push_rules';

create table filters (
  user_id text collate "C" not null,
  filter_id bigint not null,
  -- Equal filters of one user share one row.
  hash bytea not null,
  key_id bigint not null,
  sealed bytea not null,
  primary key (user_id, filter_id),
  unique (user_id, hash)
);
select set_column_classes('filters', '{"user_id": "id", "filter_id": "number", "hash": "hash", "key_id": "number", "sealed": "sealed"}');

-- ─── Encryption between devices ───

create table to_device (
  user_id text collate "C" not null,
  device_id text collate "C" not null,
  position bigint not null,
  -- Several messages of one write share its position.
  ordinal smallint not null default 0,
  key_id bigint not null,
  sealed bytea not null,
  primary key (user_id, device_id, position, ordinal)
);
select set_column_classes('to_device', '{"user_id": "id", "device_id": "id", "position": "number", "ordinal": "number", "key_id": "number", "sealed": "sealed"}');

create table device_keys (
  user_id text collate "C" not null,
  device_id text collate "C" not null,
  json text not null,
  primary key (user_id, device_id)
);
select set_column_classes('device_keys', '{"user_id": "id", "device_id": "id", "json": "protocol"}');

create table device_list_changes (
  user_id text collate "C" not null,
  position bigint not null,
  -- The one user who is told, or '' for all who share a room.
  viewer text collate "C" not null,
  primary key (user_id, position, viewer)
);
select set_column_classes('device_list_changes', '{"user_id": "id", "position": "number", "viewer": "id"}');
create index device_list_changes_by_position on device_list_changes (position);

create table one_time_keys (
  user_id text collate "C" not null,
  device_id text collate "C" not null,
  algorithm text collate "C" not null,
  key_id text collate "C" not null,
  -- When it was uploaded: the oldest is claimed first.
  position bigint not null,
  json text not null,
  primary key (user_id, device_id, algorithm, key_id)
);
select set_column_classes('one_time_keys', '{"user_id": "id", "device_id": "id", "algorithm": "protocol", "key_id": "protocol", "position": "number", "json": "protocol"}');
create index one_time_keys_by_age on one_time_keys (user_id, device_id, algorithm, position, key_id);

create table fallback_keys (
  user_id text collate "C" not null,
  device_id text collate "C" not null,
  algorithm text collate "C" not null,
  key_id text collate "C" not null,
  json text not null,
  is_used boolean not null,
  primary key (user_id, device_id, algorithm)
);
select set_column_classes('fallback_keys', '{"user_id": "id", "device_id": "id", "algorithm": "protocol", "key_id": "protocol", "json": "protocol", "is_used": "flag"}');

create table cross_signing_keys (
  user_id text collate "C" not null,
  usage text collate "C" not null check (usage in ('master', 'self_signing', 'user_signing')),
  json text not null,
  position bigint not null,
  primary key (user_id, usage)
);
select set_column_classes('cross_signing_keys', '{"user_id": "id", "usage": "protocol", "json": "protocol", "position": "number"}');

-- target is a device id, or the public key of a cross-signing key.
create table key_signatures (
  user_id text collate "C" not null,
  target text collate "C" not null,
  signer text collate "C" not null,
  signing_key text collate "C" not null,
  signature text collate "C" not null,
  -- What it is about: the target's key may have been another one then.
  signed_hash bytea not null,
  primary key (user_id, target, signer, signing_key)
);
select set_column_classes('key_signatures', '{"user_id": "id", "target": "id", "signer": "id", "signing_key": "protocol", "signature": "protocol", "signed_hash": "hash"}');

-- ─── What need not last ───

create unlogged table typing (
  room_nid bigint not null,
  user_id text collate "C" not null,
  expires_ts bigint not null,
  mark bigint not null,
  primary key (room_nid, user_id)
);
select set_column_classes('typing', '{"room_nid": "number", "user_id": "id", "expires_ts": "time", "mark": "number"}');
-- Typing that nobody has ended in time.
create index typing_by_end on typing (expires_ts) where expires_ts > 0;

create unlogged table presence (
  user_id text collate "C" primary key,
  -- The device that said so last: what another one says is weighed against it.
  device_id text collate "C" not null default '',
  state text collate "C" not null,
  status_key bigint not null,
  status_sealed bytea,
  last_active_ts bigint not null,
  mark bigint not null
);
select set_column_classes('presence', '{"user_id": "id", "device_id": "id", "state": "protocol", "status_key": "number", "status_sealed": "sealed", "last_active_ts": "time", "mark": "number"}');
create index presence_by_mark on presence (mark);
create index presence_by_end on presence (last_active_ts) where state <> 'offline';

-- The ephemeral mark: the counter of typing and presence.
create sequence ephemeral_marks as bigint;

-- Marks are committed in their order: whoever has seen one has seen all below it. Rows are
-- locked after it, never before, so that no two writers wait for each other.
create function next_ephemeral_mark() returns bigint language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('myelin ephemeral marks'));
  return nextval('ephemeral_marks');
end $$;

-- The last one, when it and all below it have been committed.
create function last_ephemeral_mark() returns bigint language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext('myelin ephemeral marks'));
  return (select case when is_called then last_value else 0 end from ephemeral_marks);
end $$;

create unlogged table rate_limits (
  key text collate "C" primary key,
  tokens double precision not null,
  updated_ts bigint not null
);
select set_column_classes('rate_limits', '{"key": "hash", "tokens": "number", "updated_ts": "time"}');

-- ─── Audit ───

-- One chain: each link is sha256(previous link || seq || ' ' || record), computed in the
-- committing call. What searches go by is read out of the record, so that it cannot say
-- anything else.
create table audit_log (
  seq bigint primary key,
  -- Canonical JSON; what is personal in it is sealed under the key of whom it is of.
  record text not null,
  prev_hash bytea not null,
  hash bytea not null,
  ts bigint generated always as ((record::json->>'ts')::bigint) stored,
  action text collate "C" generated always as (record::json->>'action') stored,
  result text collate "C" generated always as (record::json->>'result') stored,
  actor_type text collate "C" generated always as (record::json->'actor'->>'type') stored,
  actor_id text collate "C" generated always as (record::json->'actor'->>'id') stored,
  resource_type text collate "C" generated always as (record::json->'resource'->>'type') stored,
  resource_id text collate "C" generated always as (record::json->'resource'->>'id') stored
);
select set_column_classes('audit_log', '{"seq": "number", "record": "protocol", "prev_hash": "hash", "hash": "hash", "ts": "time", "action": "protocol", "result": "protocol", "actor_type": "protocol", "actor_id": "hash", "resource_type": "protocol", "resource_id": "id"}');
create index audit_log_by_actor on audit_log (actor_id, seq);
create index audit_log_by_action on audit_log (action, seq);
create index audit_log_by_resource on audit_log (resource_id, seq);
create index audit_log_by_ts on audit_log (ts);

-- ─── Leases of jobs ───

create table leases (
  name text collate "C" primary key,
  holder uuid not null,
  generation bigint not null,
  expires_ts timestamptz not null,
  -- False while it rests: nobody is at it until then.
  is_running boolean not null default true
);
select set_column_classes('leases', '{"name": "setting", "holder": "number", "generation": "number", "expires_ts": "time", "is_running": "flag"}');
