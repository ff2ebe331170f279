-- Where notifications are sent to, and what is on its way there.

create table pushers (
  pusher_id bigint primary key,
  user_id text collate "C" not null,
  -- Whose session set it: it goes with the device.
  device_id text collate "C" not null,
  -- A keyed hash of app id and pushkey, which say whether two pushers are the same.
  key_hash bytea not null,
  kind text collate "C" not null check (kind in ('http', 'email')),
  is_enabled boolean not null,
  shard smallint not null,
  -- What stands in the stream up to here is not for it.
  since_position bigint not null,
  -- Sealed under the user's key: what the client said of it.
  key_id bigint not null,
  sealed bytea not null,
  created_ts bigint not null,
  unique (key_hash, user_id),
  foreign key (user_id, device_id) references devices on delete cascade
);
select set_column_classes('pushers', '{"pusher_id": "number", "user_id": "id", "device_id": "id", "key_hash": "hash", "kind": "setting", "is_enabled": "flag", "shard": "number", "since_position": "number", "key_id": "number", "sealed": "sealed", "created_ts": "time"}');
create index pushers_by_device on pushers (user_id, device_id);
create index pushers_by_shard on pushers (shard);

-- What changes with every notification of a pusher.
create table pusher_states (
  pusher_id bigint primary key references pushers on delete cascade,
  -- The count of unread rooms that it was told last.
  badge integer not null default 0,
  failures integer not null default 0,
  failing_since_ts timestamptz,
  -- Nothing is sent before.
  retry_ts timestamptz not null default '-infinity',
  -- Of mails: when the last one went, and how long the next one waits after it.
  mailed_ts timestamptz,
  mail_rest_ms bigint not null default 0
) with (fillfactor = 70);
select set_column_classes('pusher_states', '{"pusher_id": "number", "badge": "number", "failures": "number", "failing_since_ts": "time", "retry_ts": "time", "mailed_ts": "time", "mail_rest_ms": "number"}');

-- What a pusher has still to be told, until its gateway has taken it.
create table push_queue (
  pusher_id bigint not null references pushers on delete cascade,
  position bigint not null,
  -- The event; null where only the count of unread rooms is news.
  nid bigint,
  room_nid bigint not null,
  thread text collate "C" not null,
  -- JSON: what the push rules said.
  actions text not null,
  queued_ts timestamptz not null default clock_timestamp(),
  primary key (pusher_id, position)
);
select set_column_classes('push_queue', '{"pusher_id": "number", "position": "number", "nid": "number", "room_nid": "number", "thread": "id", "actions": "protocol", "queued_ts": "time"}');

-- Pushers are spread over shards, and a process pushes for those that it holds. All
-- up to a shard's position has been queued for its pushers.
create table push_shards (
  shard smallint primary key,
  position bigint not null default 0,
  holder uuid,
  generation bigint not null default 0,
  expires_ts timestamptz not null default '-infinity'
);
select set_column_classes('push_shards', '{"shard": "number", "position": "number", "holder": "number", "generation": "number", "expires_ts": "time"}');
insert into push_shards (shard) select generate_series(0, 15);

-- Processes that push: each holds its share of the shards.
create unlogged table push_processes (
  holder uuid primary key,
  expires_ts timestamptz not null
);
select set_column_classes('push_processes', '{"holder": "number", "expires_ts": "time"}');

-- Mail addresses and telephone numbers that administrators gave to users. Only an address of
-- one's own is sent notifications.
create table third_party_ids (
  user_id text collate "C" not null references users,
  medium text collate "C" not null check (medium in ('email', 'msisdn')),
  address_hash bytea not null,
  key_id bigint not null,
  sealed bytea not null,
  created_ts bigint not null,
  primary key (user_id, medium, address_hash)
);
select set_column_classes('third_party_ids', '{"user_id": "id", "medium": "protocol", "address_hash": "hash", "key_id": "number", "sealed": "sealed", "created_ts": "time"}');
create index third_party_ids_by_address on third_party_ids (address_hash, created_ts);
