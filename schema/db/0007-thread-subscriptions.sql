-- Threads, and who follows which.

-- How many replies a thread has that were not redacted, and where the last of them
-- stands. thread is the root's event id, whether that event is known or not.
create table threads (
  room_nid bigint not null,
  thread text collate "C" not null,
  replies bigint not null,
  last_position bigint not null,
  primary key (room_nid, thread)
);
select set_column_classes('threads', '{"room_nid": "number", "thread": "id", "replies": "number", "last_position": "number"}');
create index threads_by_last_reply on threads (room_nid, last_position) where replies > 0;

-- MSC4306. One that has ended stays: what happened in the thread before that
-- begins it no more.
create table thread_subscriptions (
  user_id text collate "C" not null,
  room_nid bigint not null,
  thread text collate "C" not null,
  is_subscribed boolean not null,
  is_automatic boolean not null,
  -- Where in the stream it became what it is.
  position bigint not null,
  primary key (user_id, room_nid, thread)
);
select set_column_classes('thread_subscriptions', '{"user_id": "id", "room_nid": "number", "thread": "id", "is_subscribed": "flag", "is_automatic": "flag", "position": "number"}');
create index thread_subscriptions_by_position on thread_subscriptions (user_id, position);
create index thread_subscriptions_by_thread on thread_subscriptions (room_nid, thread) where is_subscribed;
