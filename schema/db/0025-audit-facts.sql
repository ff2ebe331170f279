-- What searches of the audit log go by is read out of a record once. Seven columns that each read it made
-- two thirds of what a record cost.

create type audit_party as (type text collate "C", id text collate "C");
create type audit_facts as (
  ts bigint,
  action text collate "C",
  result text collate "C",
  actor audit_party,
  resource audit_party
);

-- Named with its schema, since a dump is restored without a search path.
create function read_audit_facts(p_record text) returns audit_facts language plpgsql immutable parallel safe as $$
begin
  return json_populate_record(null::public.audit_facts, p_record::json);
end $$;

drop trigger audit_log_rotates on audit_log;
drop trigger audit_log_prunes on audit_log;
alter table audit_log
  drop column ts, drop column action, drop column result, drop column actor_type, drop column actor_id,
  drop column resource_type, drop column resource_id,
  -- It cannot say anything else than the record does.
  add column facts audit_facts generated always as (read_audit_facts(record)) stored;
select set_column_classes('audit_log', '{"facts": "id"}');
create index audit_log_by_actor on audit_log ((((facts).actor).id), seq);
create index audit_log_by_action on audit_log (((facts).action), seq);
create index audit_log_by_resource on audit_log ((((facts).resource).id), seq);
create index audit_log_by_ts on audit_log (((facts).ts));

create trigger audit_log_rotates after insert on audit_log for each row
  when ((new.facts).action = 'settings.audit_key.rotate' and (new.facts).result = 'allowed')
  execute function note_audit_rotation();
create trigger audit_log_prunes after insert on audit_log for each row
  when ((new.facts).action = 'audit.prune' and (new.facts).result = 'allowed' and ((new.facts).actor).type = 'server')
  execute function note_audit_pruning();

-- As they were, by what the record says now.
create or replace function note_audit_pruning() returns trigger language plpgsql
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
  if greatest(known.ts, (select (facts).ts from audit_log where seq = pruned_to)) > database_ms() - 180 * 86400000::bigint then
    raise exception 'the audit log is kept for 180 days' using errcode = 'insufficient_privilege';
  end if;
  insert into audit_prunings (seq, hash, signed_ts, record_seq) values (pruned_to, known.hash, known.ts, new.seq);
  return null;
end $$;

create or replace function keep_unpruned() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if not exists (select from audit_prunings p where p.seq >= old.seq)
    or exists (select from holds h where h.released_ts is null and coalesce(h.from_ts, 0) <= (old.facts).ts)
  then
    raise exception 'the audit log is only added to' using errcode = 'insufficient_privilege';
  end if;
  return old;
end $$;

create or replace function prune_audit_log(p_limit bigint) returns bigint language plpgsql
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
    select seq, (facts).ts from audit_log where seq <= pruned_to order by seq limit p_limit
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
