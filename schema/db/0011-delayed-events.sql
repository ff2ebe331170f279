-- Events that are sent later (MSC4140). Not in the stream: what comes of one is.
create table delayed_events (
  -- Of the delay id, by which whoever knows it may manage the event.
  delay_key bytea primary key,
  user_id text collate "C" not null,
  -- Of the client's transaction, whose second request is answered like the first.
  txn_key bytea unique,
  room_id text collate "C" not null,
  -- Both JSON-escaped; no state key for a message.
  type text collate "C" not null,
  state_key text collate "C",
  delay_ms bigint not null,
  running_since bigint not null,
  send_ts bigint not null,
  -- Sealed under the user's key: {"delay_id", "content"}.
  key_id bigint not null,
  sealed bytea not null,
  -- Until then a process is at sending it.
  claimed_until bigint not null default 0,
  finalised_ts bigint,
  outcome text collate "C" check (outcome in ('send', 'cancel', 'error')),
  event_id text collate "C",
  error text
);
select set_column_classes('delayed_events', '{"delay_key": "hash", "user_id": "id", "txn_key": "hash", "room_id": "id", "type": "protocol", "state_key": "id", "delay_ms": "time", "running_since": "time", "send_ts": "time", "key_id": "number", "sealed": "sealed", "claimed_until": "time", "finalised_ts": "time", "outcome": "setting", "event_id": "id", "error": "protocol"}');
create index delayed_events_due on delayed_events (send_ts) where finalised_ts is null;
create index delayed_events_by_user on delayed_events (user_id, send_ts);
create index delayed_events_finalised on delayed_events (finalised_ts) where finalised_ts is not null;
