-- Finding people, rooms and messages; what people report.

-- How far the stream was read for words. One row.
create table search_progress (
  is_only boolean primary key default true check (is_only),
  position bigint not null
);
select set_column_classes('search_progress', '{"is_only": "flag", "position": "number"}');
insert into search_progress (position) values (0);

-- The key under which the words of a room are hashed, by month.
create table search_spans (
  room_nid bigint not null,
  span text collate "C" not null,
  key_id bigint not null,
  -- Where reading it anew goes on, after its key was destroyed; null where it is whole.
  pending_from bigint,
  primary key (room_nid, span)
);
select set_column_classes('search_spans', '{"room_nid": "number", "span": "time", "key_id": "number", "pending_from": "number"}');
create index search_spans_pending on search_spans (pending_from, room_nid) where pending_from is not null;
create index search_spans_by_key on search_spans (key_id);

-- The words of an event as keyed hashes, equal in one room and month alone. Goes with the event's content.
create table search_events (
  nid bigint primary key,
  room_nid bigint not null,
  position bigint not null,
  span text collate "C" not null,
  words bigint[] not null
);
select set_column_classes('search_events', '{"nid": "number", "room_nid": "number", "position": "number", "span": "time", "words": "hash"}');
create index search_events_words on search_events using gin (words);
create index search_events_by_span on search_events (room_nid, span);

-- What people reported: a room, an event of it, or a user. The reason is sealed under the reporter's key.
create table reports (
  report_id bigint primary key,
  position bigint not null,
  reporter text collate "C" not null,
  room_id text collate "C",
  event_id text collate "C",
  user_id text collate "C",
  key_id bigint not null,
  sealed bytea not null,
  created_ts bigint not null
);
select set_column_classes('reports', '{"report_id": "number", "position": "number", "reporter": "id", "room_id": "id", "event_id": "id", "user_id": "id", "key_id": "number", "sealed": "sealed", "created_ts": "time"}');
create index reports_by_age on reports (created_ts);
