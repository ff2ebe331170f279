-- What holds ask for: what somebody sent, and what came later than it says that it was sent.

-- By a hash: names would take three times as much of every event.
create index events_by_sender on events (hashtext(sender), nid);
-- What was sent here came when it was sent.
create index events_received_later on events (room_nid, received_ts) where received_ts <> origin_server_ts;
