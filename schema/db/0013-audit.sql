-- What makes the audit log prove itself: nothing in it changes, its ends are signed, and
-- what was signed is brought to where nobody here can change it.

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is only added to' using errcode = 'insufficient_privilege';
end $$;

create trigger audit_log_stays before update or delete on audit_log
  for each row execute function refuse_change();
create trigger audit_log_stays_whole before truncate on audit_log
  for each statement execute function refuse_change();

-- The chain as it stood, signed with a key that is not in the database.
create table audit_checkpoints (
  seq bigint primary key,
  hash bytea not null,
  ts bigint not null,
  key_id text collate "C" not null,
  signature bytea not null
);
select set_column_classes('audit_checkpoints', '{"seq": "number", "hash": "hash", "ts": "time", "key_id": "setting", "signature": "hash"}');

create trigger audit_checkpoints_stay before update or delete on audit_checkpoints
  for each row execute function refuse_change();
create trigger audit_checkpoints_stay_whole before truncate on audit_checkpoints
  for each statement execute function refuse_change();

-- Up to where each place outside, and each stream, was told.
create table audit_deliveries (
  target text collate "C" primary key,
  seq bigint not null,
  delivered_ts bigint not null
);
select set_column_classes('audit_deliveries', '{"target": "setting", "seq": "number", "delivered_ts": "time"}');

-- Where roles are in use, the one that serves may add to the log and nothing else.
revoke update, delete, truncate on audit_log, audit_checkpoints from public;
