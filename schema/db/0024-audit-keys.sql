-- Which keys sign the audit log one after the other, and up to where it is no longer kept.
-- Both are read out of the records that say so: there is no effect without its record.

create table audit_keys (
  -- The first key is in no row: its epoch is 1.
  epoch integer primary key check (epoch > 1),
  key_id text collate "C" not null unique,
  public_key text collate "C" not null unique,
  -- The record that names it.
  seq bigint not null,
  -- As it stands in the record: what the key before it has signed.
  statement text not null,
  signature text not null
);
select set_column_classes('audit_keys', '{"epoch": "number", "key_id": "setting", "public_key": "setting", "seq": "number", "statement": "protocol", "signature": "hash"}');

create trigger audit_keys_stay before update or delete on audit_keys
  for each row execute function refuse_change();
create trigger audit_keys_stay_whole before truncate on audit_keys
  for each statement execute function refuse_change();

-- As the owner, since whoever serves may add to the log alone. Of two processes that replace a key at once, one has no record of it.
create function note_audit_rotation() returns trigger language plpgsql
security definer set search_path = public, pg_temp as $$
declare
  said json := new.record::json->'after'->'statement';
  newest audit_keys;
begin
  select * into newest from audit_keys order by epoch desc limit 1;
  if (said->>'epoch')::int is distinct from coalesce(newest.epoch, 1) + 1
    or said->>'old_public_key' is distinct from coalesce(newest.public_key, said->>'old_public_key')
  then
    raise exception 'the key that signs the audit log was replaced meanwhile' using errcode = 'unique_violation';
  end if;
  insert into audit_keys (epoch, key_id, public_key, seq, statement, signature)
  values ((said->>'epoch')::int, said->>'key_id', said->>'public_key', new.seq, said::text,
    new.record::json->'after'->>'signature');
  return null;
end $$;
create trigger audit_log_rotates after insert on audit_log for each row
  when (new.action = 'settings.audit_key.rotate' and new.result = 'allowed')
  execute function note_audit_rotation();

-- Up to where the log is no longer kept: a record that its key has signed says so, and the
-- checkpoint of its last one stays.
create table audit_prunings (
  seq bigint primary key,
  hash bytea not null,
  -- When its checkpoint was signed: all of it was written before.
  signed_ts bigint not null,
  -- The record that says so.
  record_seq bigint not null
);
select set_column_classes('audit_prunings', '{"seq": "number", "hash": "hash", "signed_ts": "time", "record_seq": "number"}');
create index audit_checkpoints_by_ts on audit_checkpoints (ts, seq);

create trigger audit_prunings_stay before update or delete on audit_prunings
  for each row execute function refuse_change();
create trigger audit_prunings_stay_whole before truncate on audit_prunings
  for each statement execute function refuse_change();

-- Nobody has it said of what is younger than 180 days, or that the log's key did not sign up to.
create function note_audit_pruning() returns trigger language plpgsql
security definer set search_path = public, pg_temp as $$
declare
  said json := new.record::json->'after'->'statement';
  pruned_to bigint := (said->>'seq')::bigint;
  known audit_checkpoints;
begin
  if said->>'key_id' is distinct from coalesce(
    (select key_id from audit_keys order by epoch desc limit 1), said->>'key_id')
  then
    raise exception 'the key that signs the audit log was replaced meanwhile' using errcode = 'object_not_in_prerequisite_state';
  end if;
  select * into known from audit_checkpoints where seq = pruned_to;
  if known.seq is null or encode(known.hash, 'hex') is distinct from said->>'hash' then
    raise exception 'no checkpoint was signed of what is pruned' using errcode = 'insufficient_privilege';
  end if;
  if greatest(known.ts, (select ts from audit_log where seq = pruned_to)) > database_ms() - 180 * 86400000::bigint then
    raise exception 'the audit log is kept for 180 days' using errcode = 'insufficient_privilege';
  end if;
  insert into audit_prunings (seq, hash, signed_ts, record_seq) values (pruned_to, known.hash, known.ts, new.seq);
  return null;
end $$;
create trigger audit_log_prunes after insert on audit_log for each row
  when (new.action = 'audit.prune' and new.result = 'allowed' and new.actor_type = 'server')
  execute function note_audit_pruning();

-- Of the log goes what was pruned, while no hold is of its time.
create function keep_unpruned() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if not exists (select from audit_prunings p where p.seq >= old.seq)
    or exists (select from holds h where h.released_ts is null and coalesce(h.from_ts, 0) <= old.ts)
  then
    raise exception 'the audit log is only added to' using errcode = 'insufficient_privilege';
  end if;
  return old;
end $$;
drop trigger audit_log_stays on audit_log;
create trigger audit_log_stays before update on audit_log
  for each row execute function refuse_change();
create trigger audit_log_stays_unless_pruned before delete on audit_log
  for each row execute function keep_unpruned();

create function keep_last_checkpoint() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if not exists (select from audit_prunings p where p.seq > old.seq) then
    raise exception 'the audit log is only added to' using errcode = 'insufficient_privilege';
  end if;
  return old;
end $$;
drop trigger audit_checkpoints_stay on audit_checkpoints;
create trigger audit_checkpoints_stay before update on audit_checkpoints
  for each row execute function refuse_change();
create trigger audit_checkpoints_stay_unless_pruned before delete on audit_checkpoints
  for each row execute function keep_last_checkpoint();

-- Deletes the oldest that are pruned, for whoever serves, who may delete none: up to the first
-- of a time that a hold is of, so that no gap comes into the chain. Answers how many.
create function prune_audit_log(p_limit bigint) returns bigint language plpgsql
security definer set search_path = public, pg_temp as $$
declare
  pruned_to bigint;
  held_from bigint;
  gone bigint;
begin
  perform lock_against_holds();
  -- A statement of its own: it reads what was committed before the lock was had.
  select min(coalesce(from_ts, 0)) into held_from from holds where released_ts is null;
  select max(seq) into pruned_to from audit_prunings;
  with oldest as materialized (
    select seq, ts from audit_log where seq <= pruned_to order by seq limit p_limit
  )
  delete from audit_log where seq = any(array(
    select seq from oldest
    where seq < coalesce((select min(seq) from oldest where ts >= held_from), 9223372036854775807)));
  get diagnostics gone = row_count;
  delete from audit_checkpoints where seq = any(array(
    select seq from audit_checkpoints
    where seq < least(pruned_to, (select min(seq) - 1 from audit_log)) order by seq limit p_limit));
  return gone;
end $$;

-- Where two roles are in use, the one that serves reads these and adds to the log and to its
-- checkpoints; what it adds fills the other two.
create function is_kept_from_server(p_table name) returns boolean language sql immutable as $$
  select p_table in ('audit_log', 'audit_checkpoints', 'audit_keys', 'audit_prunings', 'schema_migrations')
$$;

create function let_serve(p_role name) returns void language plpgsql as $$
declare
  each name;
begin
  if p_role = current_user then
    raise exception 'the owner of the tables cannot be kept from changing them' using errcode = 'invalid_grant_operation';
  end if;
  execute format('grant usage on schema %I to %I', current_schema(), p_role);
  execute format('grant usage, select, update on all sequences in schema %I to %I', current_schema(), p_role);
  for each in select relname from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') loop
    if is_kept_from_server(each) then
      execute format('revoke all on %I from %I', each, p_role);
      execute format('grant select on %I to %I', each, p_role);
    else
      execute format('grant select, insert, update, delete on %I to %I', each, p_role);
    end if;
  end loop;
  execute format('grant insert on audit_log, audit_checkpoints to %I', p_role);
end $$;
