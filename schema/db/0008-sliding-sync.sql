-- What the connections of sliding sync were sent, as chains of changes: one row for each
-- answer that changed it. An answer may be lost, so a state stays until a request comes
-- back with one that follows it; a request that comes twice adds a state beside.
create table sliding_sync_states (
  user_id text collate "C" not null,
  device_id text collate "C" not null,
  -- As the client names the connection, JSON-escaped.
  conn_id text collate "C" not null,
  -- Rises along the chain, and with each new beginning of the connection.
  seq bigint not null,
  -- Random: the client's token names it.
  state_id bigint not null,
  -- The state that it changes; null where it holds all.
  parent_id bigint,
  change bytea not null,
  created_ts bigint not null,
  primary key (user_id, device_id, conn_id, seq, state_id)
);
select set_column_classes('sliding_sync_states', '{"user_id": "id", "device_id": "id", "conn_id": "id", "seq": "number", "state_id": "number", "parent_id": "number", "change": "protocol", "created_ts": "time"}');
-- Those that nobody came back to.
create index sliding_sync_states_by_age on sliding_sync_states (created_ts);
