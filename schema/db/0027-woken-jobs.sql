-- That a job is told to begin commits with the record of who told it.

create or replace function store_accounts(p_rows jsonb, starts bigint[]) returns void language plpgsql as $$
#variable_conflict use_column
begin
  delete from third_party_ids using jsonb_to_recordset(coalesce(p_rows->'removed_third_party_ids', '[]')) as r(w int, user_id text)
  where third_party_ids.user_id = r.user_id and starts[r.w + 1] is not null;
  insert into third_party_ids (user_id, medium, address_hash, key_id, sealed, created_ts)
  select user_id, medium, address_hash, key_id, sealed, created_ts
  from jsonb_to_recordset(coalesce(p_rows->'third_party_ids', '[]'))
    as r(w int, user_id text, medium text, address_hash bytea, key_id bigint, sealed bytea, created_ts bigint)
  where starts[r.w + 1] is not null
  on conflict do nothing;

  delete from external_ids using jsonb_to_recordset(coalesce(p_rows->'removed_external_ids', '[]')) as r(w int, user_id text)
  where external_ids.user_id = r.user_id and starts[r.w + 1] is not null;
  insert into external_ids (provider, subject_hash, user_id, key_id, sealed, created_ts)
  select provider, subject_hash, user_id, key_id, sealed, created_ts
  from jsonb_to_recordset(coalesce(p_rows->'external_ids', '[]'))
    as r(w int, provider text, subject_hash bytea, user_id text, key_id bigint, sealed bytea, created_ts bigint)
  where starts[r.w + 1] is not null
  on conflict do nothing;

  -- The time to undo it runs by the database's clock, from the first request on.
  delete from pending_erasures using jsonb_to_recordset(coalesce(p_rows->'removed_erasures', '[]')) as r(w int, user_id text)
  where pending_erasures.user_id = r.user_id and starts[r.w + 1] is not null;
  insert into pending_erasures (user_id, requested_by, requested_ts, due_ts)
  select r.user_id, r.requested_by, database_ms(), database_ms() + r.wait_ms
  from jsonb_to_recordset(coalesce(p_rows->'pending_erasures', '[]'))
    as r(w int, user_id text, requested_by text, wait_ms bigint)
  join users on users.user_id = r.user_id
  where starts[r.w + 1] is not null and not exists (
    select from admin_jobs j where j.user_id = r.user_id and j.kind = 'erase-user' and j.state not in ('failed', 'cancelled'))
  on conflict do nothing;
  update pending_erasures set held_ts = database_ms()
  from jsonb_to_recordset(coalesce(p_rows->'held_erasures', '[]')) as r(w int, user_id text)
  where pending_erasures.user_id = r.user_id and pending_erasures.held_ts is null and starts[r.w + 1] is not null;
  with due as (
    delete from pending_erasures using jsonb_to_recordset(coalesce(p_rows->'due_erasures', '[]')) as r(w int, user_id text, job_id text)
    where pending_erasures.user_id = r.user_id and pending_erasures.due_ts <= database_ms() and starts[r.w + 1] is not null
    returning pending_erasures.user_id, starts[r.w + 1] + 1 as position, r.job_id, requested_by, requested_ts
  ), tasks as (
    insert into admin_jobs (job_id, kind, user_id, params, not_before, created_by, created_ts)
    select job_id, 'erase-user', user_id, json_build_object('requestedTs', requested_ts)::text, database_ms(), requested_by,
      database_ms()
    from due
  )
  update users set erased_position = coalesce(users.erased_position, due.position) from due
  where users.user_id = due.user_id and users.is_deactivated;

  insert into notice_rooms (user_id, room_nid)
  select user_id, room_nid
  from jsonb_to_recordset(coalesce(p_rows->'notice_rooms', '[]')) as r(w int, user_id text, room_nid bigint)
  where starts[r.w + 1] is not null
  on conflict (user_id) do update set room_nid = excluded.room_nid;

  insert into registration_tokens (token, uses_allowed, expires_ts, created_ts)
  select token, uses_allowed, expires_ts, created_ts
  from jsonb_to_recordset(coalesce(p_rows->'registration_tokens', '[]'))
    as r(w int, token text, uses_allowed int, expires_ts bigint, created_ts bigint)
  where starts[r.w + 1] is not null
  on conflict do nothing;
  update registration_tokens set
    uses_allowed = case when r.changes ? 'uses_allowed' then (r.changes->>'uses_allowed')::int else uses_allowed end,
    expires_ts = case when r.changes ? 'expires_ts' then (r.changes->>'expires_ts')::bigint else registration_tokens.expires_ts end
  from jsonb_to_recordset(coalesce(p_rows->'registration_token_changes', '[]')) as r(w int, token text, changes jsonb)
  where registration_tokens.token = r.token and starts[r.w + 1] is not null;
  delete from registration_tokens using jsonb_to_recordset(coalesce(p_rows->'removed_registration_tokens', '[]')) as r(w int, token text)
  where registration_tokens.token = r.token and starts[r.w + 1] is not null;

  insert into server_settings (name, value)
  select 'jobs paused', 'true' from jsonb_to_recordset(coalesce(p_rows->'job_pauses', '[]')) as r(w int, is_paused boolean)
  where r.is_paused and starts[r.w + 1] is not null
  on conflict do nothing;
  delete from server_settings using jsonb_to_recordset(coalesce(p_rows->'job_pauses', '[]')) as r(w int, is_paused boolean)
  where name = 'jobs paused' and not r.is_paused and starts[r.w + 1] is not null;

  -- Who rests no more; a job that somebody is at goes on.
  update leases set expires_ts = clock_timestamp()
  from jsonb_to_recordset(coalesce(p_rows->'job_pauses', '[]')) as r(w int, woken text)
  where leases.name = r.woken and not leases.is_running and starts[r.w + 1] is not null;
end $$;
