-- What holds ask for: what came later than it says that it was sent. What was sent here came when it was sent.
create index events_received_later on events (room_nid, received_ts) where received_ts <> origin_server_ts;
