-- The committer's one call. Writes arrive numbered from 0; every row names its
-- write (w) and, where it stands in the stream, its place in it (o). No two
-- writes of a batch share a room, an idempotency key, a new user or a new alias.
-- Lock order: holds, idempotency rows, rooms by bucket, new rooms, users, aliases, keys,
-- authority, approvals, jobs, media, blobs, registration tokens, audit head, head.
create function commit_batch(
  p_batch uuid,
  p_now bigint,
  -- Per write: how many positions it takes.
  p_positions integer[],
  -- Events: numbers and ids as JSON, the long parts as arrays in the same order.
  p_events jsonb,
  p_skeletons text[],
  p_first_keys bigint[],
  p_second_keys bigint[],
  p_sealed bytea[],
  p_rows jsonb,
  -- Whom the writes touch. Where some of them lose, that may be too many.
  p_rooms bigint[],
  p_users text[]
) returns jsonb language plpgsql as $$
#variable_conflict use_column
declare
  n integer := cardinality(p_positions);
  -- Why a write was lost, by its number; null for the winners.
  lost jsonb[] := array_fill(null::jsonb, array[n]);
  -- The position before a winner's first one.
  starts bigint[] := array_fill(null::bigint, array[n]);
  has_losers boolean := false;
  loser record;
  base bigint;
  head bigint;
  i integer;
  chain bytea;
  chain_seq bigint;
  hint text;
  arrived_at timestamptz;
  waited_ms double precision;
  -- Extremities of the writes' rooms that others left meanwhile.
  beside jsonb;
begin
  -- Whoever destroys and whoever places a hold wait for each other before they lock anything else.
  if p_rows ? 'holds' then
    perform pg_advisory_xact_lock(hashtext('myelin holds'));
  elsif p_rows ?| '{redactions,placed_outliers,removed_media,removed_url_previews,account_data,profile_fields,removed_profile_fields,cleared_users,removed_reports}' then
    perform lock_against_holds();
  end if;

  -- Idempotency: an insert waits for a twin under way, then loses to it.
  if p_rows ? 'idempotency' then
    for loser in
      with wanted as (
        select * from jsonb_to_recordset(p_rows->'idempotency') as r(w int, i int, key bytea, answer text)
      ), inserted as (
        insert into idempotency (key, answer, created_ts)
        select key, answer, p_now from wanted order by key
        on conflict do nothing returning key
      )
      select w, min(i) as i from wanted where key not in (select key from inserted) group by w
    loop
      lost[loser.w + 1] := jsonb_build_object('status', 'duplicate', 'index', loser.i);
      has_losers := true;
    end loop;
    if has_losers then
      -- The twin's row is visible only to a new statement.
      for loser in
        select r.w, idempotency.answer
        from jsonb_to_recordset(p_rows->'idempotency') as r(w int, i int, key bytea) join idempotency using (key)
        where (lost[r.w + 1]->>'index')::int = r.i
      loop
        lost[loser.w + 1] := lost[loser.w + 1] || jsonb_build_object('answer', loser.answer);
      end loop;
    end if;
  end if;

  -- Messages only compare a room's state: those of several processes do not wait for each
  -- other. Whoever changes a room waits for all, and all for them, in the order of their
  -- arrival: row locks would let messages pass for ever.
  if p_rows ?| '{room_states,room_publications,redactions}' or p_rows->'rooms' @> '[{"is_exclusive": true}]' then
    perform pg_advisory_xact_lock(hashtext('myelin room'), bucket) from (
      select distinct (room_nid % 256)::int as bucket
      from jsonb_to_recordset(coalesce(p_rows->'rooms', '[]') || coalesce(p_rows->'room_publications', '[]'))
        as r(room_nid bigint)
      order by bucket) as buckets;
  elsif p_rows ? 'rooms' then
    perform pg_advisory_xact_lock_shared(hashtext('myelin room'), bucket) from (
      select distinct (room_nid % 256)::int as bucket
      from jsonb_to_recordset(p_rows->'rooms') as r(room_nid bigint)
      order by bucket) as buckets;
  end if;
  if p_rows ? 'rooms' then
    for loser in
      select distinct r.w
      from jsonb_to_recordset(p_rows->'rooms')
        as r(w int, room_nid bigint, state_version bigint, cited bigint[], is_exclusive boolean, turn text)
      where r.state_version is not null
        and (r.state_version is distinct from (select rooms.state_version from rooms where rooms.room_nid = r.room_nid)
          or exists (
            select from room_turns t where t.room_nid = r.room_nid and t.holder is distinct from r.turn
              and t.expires_ts > clock_timestamp())
          or r.is_exclusive and exists (
            select from forward_extremities f where f.room_nid = r.room_nid and f.nid <> all(r.cited)))
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "room"}');
      has_losers := true;
    end loop;
  end if;

  -- What must be new: the insert decides.
  if p_rows ? 'new_rooms' then
    for loser in
      with wanted as (
        select * from jsonb_to_recordset(p_rows->'new_rooms')
          as r(w int, room_nid bigint, room_id text, room_version text, is_resident boolean, created_ts bigint)
        where lost[w + 1] is null
      ), inserted as (
        insert into rooms (room_nid, room_id, room_version, is_resident, created_ts)
        select room_nid, room_id, room_version, is_resident, created_ts from wanted order by room_id
        on conflict do nothing returning room_nid
      )
      select w from wanted where room_nid not in (select room_nid from inserted)
    loop
      lost[loser.w + 1] := '{"status": "conflict", "over": "room"}';
      has_losers := true;
    end loop;
  end if;

  if p_rows ? 'new_users' then
    for loser in
      with wanted as (
        select * from jsonb_to_recordset(p_rows->'new_users')
          as r(w int, user_id text, password_hash text, is_guest boolean, created_ts bigint)
        where lost[w + 1] is null
      ), inserted as (
        insert into users (user_id, password_hash, is_guest, created_ts)
        select user_id, password_hash, is_guest, created_ts from wanted order by user_id
        on conflict do nothing returning user_id
      )
      select w from wanted where user_id not in (select user_id from inserted)
    loop
      lost[loser.w + 1] := '{"status": "conflict", "over": "user"}';
      has_losers := true;
    end loop;
  end if;

  -- A user's row guards the user and the devices: whoever changes them beyond the
  -- head, where nothing may wait, locks it here.
  if p_rows ?| '{user_updates,devices,removed_devices,only_devices,new_tokens}' then
    perform from users where user_id in (
      select user_id from jsonb_to_recordset(coalesce(p_rows->'user_updates', '[]') || coalesce(p_rows->'devices', '[]')
        || coalesce(p_rows->'removed_devices', '[]') || coalesce(p_rows->'new_tokens', '[]')
        || coalesce(p_rows->'only_devices', '[]')
        || coalesce(p_rows->'active_users', '[]') || coalesce(p_rows->'live_devices', '[]')) as r(user_id text))
    order by user_id for no key update;
  elsif p_rows ?| '{active_users,live_devices}' then
    perform from users where user_id in (
      select user_id from jsonb_to_recordset(
        coalesce(p_rows->'active_users', '[]') || coalesce(p_rows->'live_devices', '[]')) as r(user_id text))
    order by user_id for share;
  end if;
  if p_rows ? 'active_users' then
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'active_users') as r(w int, user_id text)
      where not exists (select from users where users.user_id = r.user_id and not is_deactivated)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "inactive-user"}');
      has_losers := true;
    end loop;
  end if;

  if p_rows ? 'live_devices' then
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'live_devices') as r(w int, user_id text, device_id text)
      where not exists (select from devices where devices.user_id = r.user_id and devices.device_id = r.device_id)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "missing-device"}');
      has_losers := true;
    end loop;
  end if;

  -- Whoever ends all devices of a user ends those too that others have opened meanwhile.
  if p_rows ? 'only_devices' then
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'only_devices') as r(w int, user_id text, device_ids text[])
      where exists (
          select from devices where devices.user_id = r.user_id and devices.device_id <> all(r.device_ids))
        or exists (
          select from jsonb_to_recordset(p_rows->'devices') as n(w int, user_id text)
          where n.user_id = r.user_id and n.w < r.w and lost[n.w + 1] is null)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "other-device"}');
      has_losers := true;
    end loop;
  end if;

  -- A device that sleeps has no session, and one that has a session is not put to sleep.
  if p_rows ?| '{new_tokens,dehydrated_devices}' then
    for loser in
      select r.w from jsonb_to_recordset(p_rows->'new_tokens') as r(w int, user_id text, device_id text)
      where (select d.device_id from dehydrated_devices d where d.user_id = r.user_id) = r.device_id
        or exists (
          select from jsonb_to_recordset(p_rows->'dehydrated_devices') as d(user_id text, device_id text)
          where d.user_id = r.user_id and d.device_id = r.device_id)
      union
      select r.w from jsonb_to_recordset(p_rows->'dehydrated_devices') as r(w int, user_id text, device_id text)
      where (
        select t.device_id from access_tokens t
        where t.user_id = r.user_id and t.device_id = r.device_id limit 1) is not null
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "device"}');
      has_losers := true;
    end loop;
  end if;

  if p_rows ? 'new_aliases' then
    for loser in
      with wanted as (
        select * from jsonb_to_recordset(p_rows->'new_aliases')
          as r(w int, alias text, room_nid bigint, creator text, created_ts bigint)
        where lost[w + 1] is null
      ), inserted as (
        insert into room_aliases (alias, room_nid, creator, created_ts)
        select alias, room_nid, creator, created_ts from wanted order by alias
        on conflict do nothing returning alias
      )
      select distinct w from wanted where alias not in (select alias from inserted)
    loop
      lost[loser.w + 1] := '{"status": "conflict", "over": "alias"}';
      has_losers := true;
    end loop;
  end if;

  if p_rows ? 'keys' then
    for loser in
      with locked as (
        select keys.key_id from keys
        where key_id in (select key_id from jsonb_to_recordset(p_rows->'keys') as r(key_id bigint))
        order by key_id for key share
      )
      select distinct r.w from jsonb_to_recordset(p_rows->'keys') as r(w int, key_id bigint)
      where r.key_id not in (select key_id from locked)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "key"}');
      has_losers := true;
    end loop;
  end if;

  -- Who may do what changes by what is true when it commits; one write of a batch does.
  if p_rows ? 'authority' then
    perform from authority for update;
    for loser in
      select r.w from jsonb_to_recordset(p_rows->'authority') as r(w int, version bigint)
      where r.version <> (select authority.version from authority)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "authority"}');
      has_losers := true;
    end loop;
  end if;

  -- An approval is used once, while it holds; who may approve is as it was when that was looked at.
  if p_rows ?| '{approval_uses,approval_changes}' then
    perform from authority for share;
    perform from approvals where approval_id in (
      select approval_id from jsonb_to_recordset(
        coalesce(p_rows->'approval_uses', '[]') || coalesce(p_rows->'approval_changes', '[]')) as r(approval_id text))
    order by approval_id for update;
    for loser in
      select r.w from jsonb_to_recordset(p_rows->'approval_uses') as r(w int, approval_id text, version bigint)
      where r.version <> (select authority.version from authority) or not exists (
        select from approvals a where a.approval_id = r.approval_id and a.state = 'approved' and a.expires_ts > database_ms())
      union
      select r.w from jsonb_to_recordset(p_rows->'approval_changes')
        as r(w int, approval_id text, before text, version bigint, reviewed_by text)
      where r.version <> (select authority.version from authority) or not exists (
        select from approvals a where a.approval_id = r.approval_id
          and (case when r.reviewed_by is null then a.state = r.before and a.expires_ts > database_ms()
            else a.reviewed_by is null end))
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "approval"}');
      has_losers := true;
    end loop;
  end if;
  if p_rows ? 'approvals' then
    -- What stood in the way waits no more, whether this one is stored or not.
    update approvals set state = case when approvals.expires_ts <= database_ms() then 'expired' else 'void' end
    from jsonb_to_recordset(p_rows->'approvals') as r(w int, requested_by text, request_hash text, replaces text)
    where (approvals.requested_by, approvals.request_hash) = (r.requested_by, r.request_hash)
      and (approvals.state = 'pending' and approvals.expires_ts <= database_ms()
        or approvals.approval_id = r.replaces and approvals.state in ('pending', 'approved'));
    for loser in
      with wanted as (
        select * from jsonb_to_recordset(p_rows->'approvals')
          as r(w int, approval_id text, requested_by text, request_hash text, permissions text[], user_id text, room_id text,
            requested_ts bigint, wait_ms bigint, key_id bigint, sealed bytea)
        where lost[w + 1] is null
      ), inserted as (
        insert into approvals (approval_id, requested_by, request_hash, permissions, user_id, room_id, state, requested_ts,
          expires_ts, key_id, sealed)
        select approval_id, requested_by, request_hash, permissions, user_id, room_id, 'pending', requested_ts,
          database_ms() + wait_ms, key_id, sealed
        from wanted order by requested_by, request_hash
        on conflict do nothing returning approval_id
      )
      select w from wanted where approval_id not in (select approval_id from inserted)
    loop
      lost[loser.w + 1] := '{"status": "conflict", "over": "approval"}';
      has_losers := true;
    end loop;
  end if;

  -- Rows that are not of the stream: who holds them just now is waited for here, not beyond the head.
  if p_rows ? 'cancelled_admin_jobs' then
    perform from admin_jobs
    where job_id in (select job_id from jsonb_to_recordset(p_rows->'cancelled_admin_jobs') as r(job_id text))
    order by job_id for update;
  end if;
  if p_rows ?| '{quarantined_media,released_media,media_protections,removed_media}' then
    perform from media where media_id = any(array(
      select media_id from jsonb_to_recordset(
        coalesce(p_rows->'quarantined_media', '[]') || coalesce(p_rows->'released_media', '[]')
        || coalesce(p_rows->'media_protections', '[]') || coalesce(p_rows->'removed_media', '[]')) as r(media_id text)))
    order by media_id for update;
  end if;
  if p_rows ? 'removed_media' then
    perform from media_blobs where blob_id = any(array(
      select media.blob_id from media
      where media_id = any(array(select media_id from jsonb_to_recordset(p_rows->'removed_media') as r(media_id text)))))
    order by blob_id for update;
    -- Nothing is recorded as gone that a hold keeps.
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'removed_media') as r(w int, media_id text)
      where is_media_held(r.media_id)
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "hold"}');
      has_losers := true;
    end loop;
  end if;

  -- The last of the preconditions, so that no use has to be given back.
  if p_rows ? 'registration_token_uses' then
    for loser in
      select * from jsonb_to_recordset(p_rows->'registration_token_uses') as r(w int, token text, now_ts bigint)
      where lost[w + 1] is null order by token
    loop
      update registration_tokens set completed = completed + 1
      where token = loser.token and (uses_allowed is null or completed < uses_allowed)
        and (expires_ts is null or expires_ts > loser.now_ts);
      if not found then
        lost[loser.w + 1] := '{"status": "conflict", "over": "registration-token"}';
        has_losers := true;
      end if;
    end loop;
  end if;

  if p_rows ? 'audit' then
    perform pg_advisory_xact_lock(hashtext('myelin audit head'));
  end if;

  -- The head. From here to COMMIT nothing waits for anyone.
  arrived_at := clock_timestamp();
  perform pg_advisory_xact_lock(hashtext('myelin stream head'));
  waited_ms := extract(epoch from clock_timestamp() - arrived_at) * 1000;

  -- What another process said just now, alike and on the same event, is one event.
  if p_rows ? 'rooms' then
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'rooms') as r(w int, state_version bigint, absent text[])
      where state_version is not null and exists (select from events where event_id = any(r.absent))
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "room"}');
      has_losers := true;
    end loop;
  end if;

  -- Nobody of this server comes into a room that is blocked, or is asked into it, whichever was first.
  if p_rows ? 'memberships' and exists (select from blocked_rooms) then
    for loser in
      select distinct r.w from jsonb_to_recordset(p_rows->'memberships')
        as r(w int, user_id text, room_nid bigint, membership text, sender text)
      where r.membership in ('join', 'invite', 'knock')
        and exists (select from rooms join blocked_rooms using (room_id) where rooms.room_nid = r.room_nid)
        and exists (select from users where users.user_id = r.sender)
        and not exists (
          select from memberships m
          where m.user_id = r.user_id and m.room_nid = r.room_nid and m.membership = 'join')
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "blocked-room"}');
      has_losers := true;
    end loop;
  end if;

  -- Whom an event notifies was decided by push rules seen up to a position. Whoever
  -- missed a change of a member's rules, in this batch or before, loses.
  if p_rows ? 'rooms' then
    if p_rows ? 'account_data' or exists (
      select from jsonb_to_recordset(p_rows->'rooms') as r(rules_seen bigint) where r.rules_seen < (
        select max(position) from account_data where room_nid = 0 and type = 'm.push_rules'))
    then
      for loser in
        with runs as materialized (
          select * from jsonb_to_recordset(p_rows->'rooms') as r(w int, room_nid bigint, rules_seen bigint)
          where rules_seen is not null and lost[w + 1] is null
        ), changes as materialized (
          select user_id, position, null::int as w from account_data
          where room_nid = 0 and type = 'm.push_rules' and position > (select min(rules_seen) from runs)
          union all
          select user_id, null, w
          from jsonb_to_recordset(coalesce(p_rows->'account_data', '[]'))
            as r(w int, user_id text, room_nid bigint, type text)
          where room_nid = 0 and type = 'm.push_rules' and lost[w + 1] is null
        )
        select distinct runs.w
        from runs join changes on changes.position > runs.rules_seen or changes.w < runs.w
        where exists (
          select from memberships m
          where m.user_id = changes.user_id and m.room_nid = runs.room_nid and m.membership = 'join')
      loop
        lost[loser.w + 1] := '{"status": "conflict", "over": "push-rules"}';
        has_losers := true;
      end loop;
    end if;
  end if;

  -- Whether somebody takes an invite was decided by account data as it stood. Whoever
  -- missed a change of it, in this batch or before, loses.
  if p_rows ? 'invite_grounds' then
    for loser in
      with grounds as (
        select * from jsonb_to_recordset(p_rows->'invite_grounds') as r(w int, user_id text, seen bigint)
      )
      select w from grounds where seen < (
        select max(a.position) from account_data a
        where a.user_id = grounds.user_id and a.room_nid = 0
          and a.type in ('m.invite_permission_config', 'org.matrix.msc4155.invite_permission_config'))
      union
      select g.w from grounds g join jsonb_to_recordset(p_rows->'account_data')
        as c(w int, user_id text, room_nid bigint, type text) on c.user_id = g.user_id and c.room_nid = 0
      where c.type in ('m.invite_permission_config', 'org.matrix.msc4155.invite_permission_config')
        and c.w < g.w and lost[c.w + 1] is null
    loop
      lost[loser.w + 1] := coalesce(lost[loser.w + 1], '{"status": "conflict", "over": "invite-permission"}');
      has_losers := true;
    end loop;
  end if;

  -- What a loser had claimed before it lost is given back.
  if has_losers then
    delete from idempotency using jsonb_to_recordset(coalesce(p_rows->'idempotency', '[]')) as r(w int, i int, key bytea)
    where idempotency.key = r.key and lost[r.w + 1] is not null and idempotency.xmin = pg_current_xact_id()::xid;
    if p_rows ? 'approvals' then
      delete from approvals using jsonb_to_recordset(p_rows->'approvals') as r(w int, approval_id text)
      where approvals.approval_id = r.approval_id and lost[r.w + 1] is not null and approvals.xmin = pg_current_xact_id()::xid;
    end if;
    delete from room_aliases using jsonb_to_recordset(coalesce(p_rows->'new_aliases', '[]')) as r(w int, alias text)
    where room_aliases.alias = r.alias and lost[r.w + 1] is not null and room_aliases.xmin = pg_current_xact_id()::xid;
    delete from users using jsonb_to_recordset(coalesce(p_rows->'new_users', '[]')) as r(w int, user_id text)
    where users.user_id = r.user_id and lost[r.w + 1] is not null and users.xmin = pg_current_xact_id()::xid;
    delete from rooms using jsonb_to_recordset(coalesce(p_rows->'new_rooms', '[]')) as r(w int, room_nid bigint)
    where rooms.room_nid = r.room_nid and lost[r.w + 1] is not null and rooms.xmin = pg_current_xact_id()::xid;
  end if;

  if p_rows ? 'audit' then
    select seq, hash into chain_seq, chain from audit_log order by seq desc limit 1;
    chain_seq := coalesce(chain_seq, 0);
    chain := coalesce(chain, '\x');
    for loser in
      select * from jsonb_to_recordset(p_rows->'audit') as r(w int, i int, record text)
      where lost[w + 1] is null order by w, i
    loop
      chain_seq := chain_seq + 1;
      insert into audit_log (seq, record, prev_hash, hash)
      values (chain_seq, loser.record, chain, sha256(chain || convert_to(chain_seq || ' ' || loser.record, 'UTF8')))
      returning hash into chain;
    end loop;
  end if;

  select coalesce(max(last_position), 0) into base from batches;
  head := base;
  for i in 1 .. n loop
    if lost[i] is null then
      starts[i] := head;
      head := head + p_positions[i];
    end if;
  end loop;

  if p_rows ? 'room_states' then
    update rooms set state_version = r.state_version, snapshot_id = r.snapshot_id
    from jsonb_to_recordset(p_rows->'room_states') as r(w int, room_nid bigint, state_version bigint, snapshot_id bigint)
    where rooms.room_nid = r.room_nid and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'room_turns' then
    delete from room_turns t using jsonb_to_recordset(p_rows->'room_turns') as r(w int, room_nid bigint, holder text)
    where t.room_nid = r.room_nid and t.holder = r.holder and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'rooms' then
    -- Each looked up by its number, whatever the plan was made for: those that were replaced
    -- while a snapshot is held are many. Nobody else changes them beyond the head.
    delete from forward_extremities where ctid = any(array(
      select (select f.ctid from forward_extremities f where f.room_nid = r.room_nid and f.nid = cited_nid)
      from jsonb_to_recordset(p_rows->'rooms') as r(w int, room_nid bigint, cited bigint[]), unnest(r.cited) as cited_nid
      where starts[r.w + 1] is not null));

    insert into forward_extremities (room_nid, nid)
    select r.room_nid, left_nid
    from jsonb_to_recordset(p_rows->'rooms') as r(w int, room_nid bigint, "left" bigint[]), unnest(r."left") as left_nid
    where starts[r.w + 1] is not null
    on conflict do nothing;

    -- By the events since the run's head was right, for the same reason.
    select jsonb_agg(jsonb_build_object('w', r.w, 'nid', others.nid, 'eventId', others.event_id, 'depth', others.depth))
    into beside
    from jsonb_to_recordset(p_rows->'rooms') as r(w int, room_nid bigint, seen_to bigint, "left" bigint[])
    cross join lateral (
      select e.nid, e.event_id, e.depth
      from events e
      where e.room_nid = r.room_nid and e.position > r.seen_to and e.nid <> all(r."left") and (
        select f.nid from forward_extremities f where f.room_nid = e.room_nid and f.nid = e.nid) is not null
      limit 21) others
    where starts[r.w + 1] is not null;
  end if;

  -- An outlier that takes its place in the room is stored anew under its number.
  if p_rows ? 'placed_outliers' then
    with placed as (
      delete from events using jsonb_to_recordset(p_rows->'placed_outliers') as r(w int, nid bigint)
      where events.nid = r.nid and events.arrival is null and starts[r.w + 1] is not null
      returning events.nid
    )
    delete from event_contents using placed where event_contents.nid = placed.nid;
  end if;

  if p_skeletons <> '{}' then
    with arrived as (
      select e.*, starts[e.w + 1] + e.o + 1 as position, coalesce(e.thread, 'main') as line
      from rows from (
        jsonb_to_recordset(p_events) as (
          w integer, o integer, nid bigint, room_nid bigint, depth bigint, origin_server_ts bigint, received_ts bigint,
          snapshot_id bigint, snapshot_after bigint, replaces_nid bigint, status smallint, is_countable boolean, has_url boolean,
          event_id text, type text, state_key text, sender text, device_id text, txn_id text, redacts text,
          rel_type text, relates_to text, thread text, refusal text),
        unnest(p_skeletons, p_first_keys, p_second_keys, p_sealed)
      ) as e(
        w, o, nid, room_nid, depth, origin_server_ts, received_ts, snapshot_id, snapshot_after, replaces_nid, status,
        is_countable, has_url, event_id, type, state_key, sender, device_id, txn_id, redacts, rel_type, relates_to, thread, refusal,
        skeleton, first_key, second_key, sealed)
      where starts[e.w + 1] is not null
    ), room_bases as (
      select room_nid, coalesce((
        select events.room_count from events where events.room_nid = r.room_nid and events.position is not null
        order by events.position desc limit 1), 0) as base
      from (select distinct room_nid from arrived where position is not null) r
    ), thread_bases as (
      select room_nid, line, coalesce(case when thread is null then (
        select events.thread_count from events where events.room_nid = t.room_nid and events.thread is null
          and events.position is not null
        order by events.position desc limit 1)
      else (
        select events.thread_count from events where events.room_nid = t.room_nid and events.thread = t.thread
          and events.position is not null
        order by events.position desc limit 1) end, 0) as base
      from (select distinct room_nid, line, thread from arrived where position is not null) t
    ), stored as (
      insert into events (
        nid, room_nid, position, depth, arrival, origin_server_ts, received_ts, snapshot_id, snapshot_after, replaces_nid,
        room_count, thread_count, status, is_countable, has_url, event_id, type, state_key, sender, device_id, txn_id, redacts,
        rel_type, relates_to, thread, refusal, skeleton)
      select a.nid, a.room_nid, a.position, a.depth, a.position, a.origin_server_ts, a.received_ts, a.snapshot_id,
        a.snapshot_after, a.replaces_nid,
        coalesce(room_bases.base, 0) + sum(a.is_countable::int) over (partition by a.room_nid order by a.position),
        coalesce(thread_bases.base, 0) + sum(a.is_countable::int) over (partition by a.room_nid, a.line order by a.position),
        a.status, a.is_countable, a.has_url, a.event_id, a.type, a.state_key, a.sender, a.device_id, a.txn_id, a.redacts,
        a.rel_type, a.relates_to, a.thread, a.refusal, a.skeleton
      from arrived a left join room_bases using (room_nid) left join thread_bases using (room_nid, line)
    ), own as (
      insert into own_positions (room_nid, user_id, thread, slice, position)
      select room_nid, sender, line, max(position) >> 10, max(position) from arrived
      where is_countable and position is not null
      group by room_nid, sender, line
      on conflict (room_nid, user_id, thread, slice) do update set position = excluded.position
      returning room_nid, user_id, thread, slice, xmax = 0 as is_new
    ), outdated as (
      delete from own_positions o using own
      where own.is_new and o.room_nid = own.room_nid and o.user_id = own.user_id and o.thread = own.thread
        and o.slice = (
          select p.slice from own_positions p
          where p.room_nid = own.room_nid and p.user_id = own.user_id and p.thread = own.thread and p.slice < own.slice
          order by p.slice desc limit 1)
    )
    insert into event_contents (nid, first_key, second_key, sealed)
    select nid, first_key, second_key, sealed from arrived where sealed is not null;
  end if;

  if p_rows ? 'snapshots' then
    insert into state_snapshots (snapshot_id, room_nid, parent_id, hops, size, added, removed, hash)
    select snapshot_id, room_nid, parent_id, hops, size, added, removed, hash
    from jsonb_to_recordset(p_rows->'snapshots')
      as r(w int, snapshot_id bigint, room_nid bigint, parent_id bigint, hops smallint, size int, added bytea, removed bytea, hash bytea)
    where starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'state_changes' then
    insert into state_changes (room_nid, position, type, state_key, old_nid, new_nid)
    select room_nid, starts[r.w + 1] + o + 1, type, state_key, old_nid, new_nid
    from jsonb_to_recordset(p_rows->'state_changes')
      as r(w int, o int, room_nid bigint, type text, state_key text, old_nid bigint, new_nid bigint)
    where starts[r.w + 1] is not null;

    with last_changes as (
      select distinct on (room_nid, type, state_key) room_nid, type, state_key, new_nid
      from jsonb_to_recordset(p_rows->'state_changes')
        as r(w int, o int, room_nid bigint, type text, state_key text, new_nid bigint)
      where starts[r.w + 1] is not null
      order by room_nid, type, state_key, w desc, o desc
    ), removed as (
      delete from current_state c using last_changes l
      where l.new_nid is null and c.room_nid = l.room_nid and c.type = l.type and c.state_key = l.state_key
    )
    insert into current_state (room_nid, type, state_key, nid)
    select room_nid, type, state_key, new_nid from last_changes where new_nid is not null
    on conflict (room_nid, type, state_key) do update set nid = excluded.nid;
  end if;

  if p_rows ? 'memberships' then
    insert into memberships (user_id, room_nid, membership, sender, nid, position, since_position)
    select distinct on (user_id, room_nid) user_id, room_nid, membership, sender, nid,
      starts[r.w + 1] + o + 1, starts[r.w + 1] + o + 1
    from jsonb_to_recordset(p_rows->'memberships')
      as r(w int, o int, user_id text, room_nid bigint, membership text, sender text, nid bigint)
    where starts[r.w + 1] is not null
    order by user_id, room_nid, w desc, o desc
    on conflict (user_id, room_nid) do update set membership = excluded.membership, sender = excluded.sender,
      nid = excluded.nid, position = excluded.position, is_forgotten = false,
      since_position = case when memberships.membership = excluded.membership
        then memberships.since_position else excluded.since_position end;

    -- A stay lasts from a join to what ends it.
    with last_memberships as materialized (
      select distinct on (user_id, room_nid) user_id, room_nid, membership, starts[r.w + 1] + o + 1 as position
      from jsonb_to_recordset(p_rows->'memberships')
        as r(w int, o int, user_id text, room_nid bigint, membership text)
      where starts[r.w + 1] is not null
      order by user_id, room_nid, w desc, o desc
    ), ended as (
      update stays s set left_position = l.position from last_memberships l
      where s.user_id = l.user_id and s.room_nid = l.room_nid and s.left_position is null and l.membership <> 'join'
    )
    insert into stays (user_id, room_nid, joined_position)
    select user_id, room_nid, position from last_memberships l
    where membership = 'join' and not exists (
      select from stays s where s.user_id = l.user_id and s.room_nid = l.room_nid and s.left_position is null);
  end if;

  if p_rows - '{idempotency,rooms,keys,active_users,room_states,snapshots,state_changes,memberships}'::text[] <> '{}' then
    perform store_rows(p_rows, starts, p_now);
  end if;

  insert into batches (batch_id, last_position, lost, room_nids, user_ids, committed_ts)
  values (p_batch, case when head > base then head end, case when has_losers or head = base then to_jsonb(lost) end,
    p_rooms, p_users, p_now);

  if head > base then
    hint := json_build_object('id', p_batch, 'from', base, 'to', head, 'rooms', p_rooms, 'users', p_users);
    if octet_length(hint) > 7900 then
      hint := json_build_object('id', p_batch, 'from', base, 'to', head);
    end if;
    perform pg_notify('myelin', hint);
  end if;

  return jsonb_build_object(
    'base', base, 'head', head, 'lost', to_jsonb(lost), 'beside', coalesce(beside, '[]'),
    'waitedMs', waited_ms);
end $$;
