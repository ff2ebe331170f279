-- The rows of a batch outside the room graph. A row counts only if its write
-- won: starts holds the position before a winner's first one, null for losers.
create function store_rows(p_rows jsonb, starts bigint[], p_now bigint) returns void language plpgsql as $$
#variable_conflict use_column
declare
  pusher record;
  stored_id bigint;
begin
  if p_rows ? 'replies' then
    insert into threads (room_nid, thread, replies, last_position)
    select room_nid, thread, count(*), max(starts[r.w + 1] + o + 1)
    from jsonb_to_recordset(p_rows->'replies') as r(w int, o int, room_nid bigint, thread text)
    where starts[r.w + 1] is not null
    group by room_nid, thread
    on conflict (room_nid, thread) do update set
      replies = threads.replies + excluded.replies, last_position = excluded.last_position;
  end if;

  -- Redaction strips the content for good and leaves the skeleton. Where that is of
  -- current state, the state reads differently and has a new version.
  if p_rows ? 'redactions' then
    with redacted as (
      update events set redacted_by = r.by_nid
      from jsonb_to_recordset(p_rows->'redactions') as r(w int, target_nid bigint, by_nid bigint)
      where events.nid = r.target_nid and events.redacted_by is null and starts[r.w + 1] is not null
      returning events.nid, events.room_nid, events.type, events.state_key, events.relates_to,
        events.rel_type = 'm.thread' and events.relates_to is not null and events.state_key is null
          and events.status = 0 and events.position is not null as is_reply
    ), left_threads as (
      update threads set replies = threads.replies - gone.replies, last_position = coalesce((
        select e.position from events e
        where e.room_nid = threads.room_nid and e.relates_to = threads.thread and e.rel_type = 'm.thread'
          and e.state_key is null and e.status = 0 and e.redacted_by is null
          and e.nid not in (select nid from redacted) and e.position is not null
        order by e.position desc limit 1), 0)
      from (select room_nid, relates_to, count(*) as replies from redacted where is_reply group by 1, 2) gone
      where (threads.room_nid, threads.thread) = (gone.room_nid, gone.relates_to)
    ), stripped as (
      delete from event_contents using redacted where event_contents.nid = redacted.nid
    )
    update rooms set state_version = rooms.state_version + 1
    where room_nid in (
      select redacted.room_nid from redacted join current_state s using (room_nid, type, state_key)
      where s.nid = redacted.nid);
    delete from notifications using jsonb_to_recordset(p_rows->'redactions') as r(w int, target_nid bigint)
    where notifications.nid = r.target_nid and starts[r.w + 1] is not null;
    delete from search_events using jsonb_to_recordset(p_rows->'redactions') as r(w int, target_nid bigint)
    where search_events.nid = r.target_nid and starts[r.w + 1] is not null;
    delete from media_references using jsonb_to_recordset(p_rows->'redactions') as r(w int, target_nid bigint)
    where media_references.nid = r.target_nid and starts[r.w + 1] is not null;
  end if;

  -- Only what is there: anybody may name anything.
  if p_rows ? 'media_references' then
    insert into media_references (nid, media_id)
    select r.nid, media.media_id
    from jsonb_to_recordset(p_rows->'media_references') as r(w int, nid bigint, media_id text)
    join media on media.media_id = r.media_id
    where starts[r.w + 1] is not null
    on conflict do nothing;
  end if;

  if p_rows ? 'room_publications' then
    update rooms set is_published = r.is_published
    from jsonb_to_recordset(p_rows->'room_publications') as r(w int, room_nid bigint, is_published boolean)
    where rooms.room_nid = r.room_nid and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'removed_aliases' then
    delete from room_aliases using jsonb_to_recordset(p_rows->'removed_aliases') as r(w int, alias text)
    where room_aliases.alias = r.alias and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'moved_aliases' then
    update room_aliases set room_nid = r.room_nid
    from jsonb_to_recordset(p_rows->'moved_aliases') as r(w int, alias text, from_room_nid bigint, room_nid bigint)
    where room_aliases.alias = r.alias and room_aliases.room_nid = r.from_room_nid and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'stripped_states' then
    insert into stripped_states (user_id, room_nid, key_id, sealed)
    select distinct on (user_id, room_nid) user_id, room_nid, key_id, sealed
    from jsonb_to_recordset(p_rows->'stripped_states') as r(w int, user_id text, room_nid bigint, key_id bigint, sealed bytea)
    where starts[r.w + 1] is not null
    order by user_id, room_nid, w desc
    on conflict (user_id, room_nid) do update set key_id = excluded.key_id, sealed = excluded.sealed;
  end if;

  if p_rows ? 'forgotten' then
    update memberships set is_forgotten = true
    from jsonb_to_recordset(p_rows->'forgotten') as r(w int, user_id text, room_nid bigint)
    where memberships.user_id = r.user_id and memberships.room_nid = r.room_nid
      and memberships.membership in ('leave', 'ban') and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'notifications' then
    insert into notifications (user_id, room_nid, position, nid, thread, is_highlight, is_counted)
    select user_id, room_nid, starts[r.w + 1] + o + 1, nid, thread, is_highlight, is_counted
    from jsonb_to_recordset(p_rows->'notifications')
      as r(w int, o int, user_id text, room_nid bigint, nid bigint, thread text, is_highlight boolean, is_counted boolean)
    where starts[r.w + 1] is not null
    on conflict do nothing;
  end if;

  if p_rows ? 'push_modes' then
    insert into push_modes (user_id, room_id, mode, since_position, position)
    select distinct on (user_id, room_id)
      user_id, room_id, mode, starts[r.w + 1] + o + 1, starts[r.w + 1] + o + 1
    from jsonb_to_recordset(p_rows->'push_modes') as r(w int, o int, user_id text, room_id text, mode text)
    where starts[r.w + 1] is not null
    order by user_id, room_id, mode desc, w
    on conflict (user_id, room_id) do update set mode = excluded.mode,
      since_position = excluded.since_position, position = excluded.position
      where push_modes.mode = 'keywords' and excluded.mode = 'rows';
  end if;

  if p_rows ? 'thread_subscriptions' then
    insert into thread_subscriptions (user_id, room_nid, thread, is_subscribed, is_automatic, position)
    select distinct on (user_id, room_nid, thread)
      user_id, room_nid, thread, is_subscribed, is_automatic, starts[r.w + 1] + o + 1
    from jsonb_to_recordset(p_rows->'thread_subscriptions')
      as r(w int, o int, user_id text, room_nid bigint, thread text, is_subscribed boolean, is_automatic boolean)
    where starts[r.w + 1] is not null
    order by user_id, room_nid, thread, w desc, o desc
    on conflict (user_id, room_nid, thread) do update set is_subscribed = excluded.is_subscribed,
      is_automatic = excluded.is_automatic, position = excluded.position;
  end if;

  -- A receipt never moves backwards, and one of a thread says nothing new at an event up to
  -- which the whole room is read already.
  if p_rows ? 'receipts' then
    insert into receipts (room_nid, user_id, receipt_type, thread, event_id, event_position, receipt_ts, position)
    select distinct on (room_nid, user_id, receipt_type, thread)
      room_nid, user_id, receipt_type, thread, event_id, event_position, receipt_ts, starts[r.w + 1] + o + 1
    from jsonb_to_recordset(p_rows->'receipts')
      as r(w int, o int, room_nid bigint, user_id text, receipt_type text, thread text, event_id text,
        event_position bigint, receipt_ts bigint)
    where starts[r.w + 1] is not null
      and (r.thread = '' or not exists (select from receipts x
        where x.room_nid = r.room_nid and x.user_id = r.user_id and x.receipt_type = r.receipt_type
          and x.thread = '' and x.event_id = r.event_id))
    order by room_nid, user_id, receipt_type, thread, event_position desc
    on conflict (room_nid, user_id, receipt_type, thread) do update set event_id = excluded.event_id,
      event_position = excluded.event_position, receipt_ts = excluded.receipt_ts, position = excluded.position
      where receipts.event_position < excluded.event_position;
  end if;

  if p_rows ? 'user_updates' then
    update users set
      password_hash = case when r.changes ? 'password_hash' then r.changes->>'password_hash' else users.password_hash end,
      is_deactivated = coalesce((r.changes->>'is_deactivated')::boolean, users.is_deactivated),
      is_locked = coalesce((r.changes->>'is_locked')::boolean, users.is_locked),
      is_ending = coalesce((r.changes->>'is_ending')::boolean, users.is_ending),
      is_suspended = coalesce((r.changes->>'is_suspended')::boolean, users.is_suspended),
      is_shadow_banned = coalesce((r.changes->>'is_shadow_banned')::boolean, users.is_shadow_banned),
      user_type = case when r.changes ? 'user_type' then r.changes->>'user_type' else users.user_type end,
      messages_per_second = case when r.changes ? 'messages_per_second'
        then (r.changes->>'messages_per_second')::int else users.messages_per_second end,
      burst_count = case when r.changes ? 'burst_count' then (r.changes->>'burst_count')::int else users.burst_count end,
      expires_ts = case when r.changes ? 'expires_ts' then (r.changes->>'expires_ts')::bigint else users.expires_ts end,
      keys_open_until_ts = case when r.changes ? 'keys_open_until_ts'
        then (r.changes->>'keys_open_until_ts')::bigint else users.keys_open_until_ts end,
      erased_position = case when (r.changes->>'is_erased')::boolean then starts[r.w + 1] + 1 else users.erased_position end
    from jsonb_to_recordset(p_rows->'user_updates') as r(w int, user_id text, changes jsonb)
    where users.user_id = r.user_id and starts[r.w + 1] is not null;
  end if;

  if p_rows ?| '{device_wipes,told_wipes}' then
    perform store_wipes(p_rows, starts);
  end if;

  if p_rows ? 'removed_devices' then
    with gone as (
      delete from devices using jsonb_to_recordset(p_rows->'removed_devices') as r(w int, user_id text, device_id text)
      where devices.user_id = r.user_id and devices.device_id = r.device_id and starts[r.w + 1] is not null
      returning devices.user_id, devices.device_id
    ), gone_messages as (
      delete from to_device using gone where (to_device.user_id, to_device.device_id) = (gone.user_id, gone.device_id)
    ), gone_keys as (
      delete from device_keys using gone where (device_keys.user_id, device_keys.device_id) = (gone.user_id, gone.device_id)
    ), gone_one_time_keys as (
      delete from one_time_keys using gone where (one_time_keys.user_id, one_time_keys.device_id) = (gone.user_id, gone.device_id)
    ), gone_fallback_keys as (
      delete from fallback_keys using gone where (fallback_keys.user_id, fallback_keys.device_id) = (gone.user_id, gone.device_id)
    ), gone_dehydrated as (
      update dehydrated_devices d set device_id = null, key_id = 0, sealed = null
      from gone where (d.user_id, d.device_id) = (gone.user_id, gone.device_id)
    ), gone_sliding_states as (
      -- Beyond the head nothing waits: what an answer holds just now goes by its age.
      delete from sliding_sync_states using (
        select s.user_id, s.device_id, s.conn_id, s.seq, s.state_id from sliding_sync_states s
        join gone on (s.user_id, s.device_id) = (gone.user_id, gone.device_id)
        for update of s skip locked
      ) old
      where (sliding_sync_states.user_id, sliding_sync_states.device_id, sliding_sync_states.conn_id,
        sliding_sync_states.seq, sliding_sync_states.state_id)
        = (old.user_id, old.device_id, old.conn_id, old.seq, old.state_id)
    )
    delete from key_signatures using gone
    where key_signatures.user_id = gone.user_id and (
      key_signatures.target = gone.device_id
      or key_signatures.signer = gone.user_id and key_signatures.signing_key = 'ed25519:' || gone.device_id);
  end if;

  if p_rows ? 'devices' then
    insert into devices (user_id, device_id, key_id, sealed, created_ts)
    select distinct on (user_id, device_id) user_id, device_id, key_id, sealed, created_ts
    from jsonb_to_recordset(p_rows->'devices')
      as r(w int, user_id text, device_id text, key_id bigint, sealed bytea, created_ts bigint)
    where starts[r.w + 1] is not null
    order by user_id, device_id, w desc
    on conflict (user_id, device_id) do update set key_id = excluded.key_id, sealed = excluded.sealed;
  end if;

  if p_rows ? 'removed_tokens' then
    with gone as (
      delete from access_tokens using jsonb_to_recordset(p_rows->'removed_tokens') as r(w int, token_id bigint)
      where access_tokens.token_id = r.token_id and starts[r.w + 1] is not null
      returning access_tokens.token_id
    )
    delete from refresh_tokens using gone where refresh_tokens.access_token_id = gone.token_id;
  end if;

  -- All tokens of the device: none of its old refresh tokens may end the next session.
  if p_rows ? 'replaced_sessions' then
    delete from access_tokens using jsonb_to_recordset(p_rows->'replaced_sessions') as r(w int, user_id text, device_id text)
    where (access_tokens.user_id, access_tokens.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null;
    delete from refresh_tokens using jsonb_to_recordset(p_rows->'replaced_sessions') as r(w int, user_id text, device_id text)
    where (refresh_tokens.user_id, refresh_tokens.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null;
    delete from pushers using jsonb_to_recordset(p_rows->'replaced_sessions') as r(w int, user_id text, device_id text)
    where (pushers.user_id, pushers.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null;
  end if;

  -- Access tokens alone; the refresh tokens given out with them stay known.
  if p_rows ? 'removed_access_tokens' then
    delete from access_tokens using jsonb_to_recordset(p_rows->'removed_access_tokens') as r(w int, token_id bigint)
    where access_tokens.token_id = r.token_id and starts[r.w + 1] is not null;
  end if;

  -- Its tokens stay known and are good for nothing: an access token that has expired,
  -- a refresh token whose replacement is gone.
  if p_rows ? 'ended_sessions' then
    update access_tokens set expires_ts = 0
    from jsonb_to_recordset(p_rows->'ended_sessions') as r(w int, user_id text, device_id text)
    where (access_tokens.user_id, access_tokens.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null;
    update refresh_tokens set next_hash = ''
    from jsonb_to_recordset(p_rows->'ended_sessions') as r(w int, user_id text, device_id text)
    where (refresh_tokens.user_id, refresh_tokens.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null
      and next_hash is null;
    delete from pushers using jsonb_to_recordset(p_rows->'ended_sessions') as r(w int, user_id text, device_id text)
    where (pushers.user_id, pushers.device_id) = (r.user_id, r.device_id) and starts[r.w + 1] is not null;
  end if;

  -- A used refresh token is remembered for thirty days.
  if p_rows ? 'used_refresh_tokens' then
    with used as (
      update refresh_tokens set next_hash = r.next_hash
      from jsonb_to_recordset(p_rows->'used_refresh_tokens') as r(w int, token_hash bytea, next_hash bytea)
      where refresh_tokens.token_hash = r.token_hash and starts[r.w + 1] is not null
      returning refresh_tokens.user_id, refresh_tokens.device_id
    )
    delete from refresh_tokens using used
    where (refresh_tokens.user_id, refresh_tokens.device_id) = (used.user_id, used.device_id)
      and next_hash is not null and created_ts < p_now - 30 * 86400000::bigint;
  end if;

  if p_rows ? 'new_tokens' then
    insert into access_tokens (token_hash, token_id, user_id, device_id, expires_ts, created_ts, acted_by)
    select token_hash, token_id, user_id, device_id, expires_ts, created_ts, acted_by
    from jsonb_to_recordset(p_rows->'new_tokens')
      as r(w int, token_hash bytea, token_id bigint, user_id text, device_id text, expires_ts bigint, created_ts bigint,
        acted_by text)
    where starts[r.w + 1] is not null;
    insert into refresh_tokens (token_hash, user_id, device_id, access_token_id, created_ts)
    select refresh, user_id, device_id, token_id, created_ts
    from jsonb_to_recordset(p_rows->'new_tokens')
      as r(w int, refresh bytea, token_id bigint, user_id text, device_id text, created_ts bigint)
    where refresh is not null and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'profile_fields' then
    insert into profile_fields (user_id, name, position, key_id, sealed, media_id)
    select distinct on (user_id, name) user_id, name, starts[r.w + 1] + o + 1, key_id, sealed,
      (select media.media_id from media where media.media_id = r.media_id)
    from jsonb_to_recordset(p_rows->'profile_fields')
      as r(w int, o int, user_id text, name text, key_id bigint, sealed bytea, media_id text)
    where starts[r.w + 1] is not null
    order by user_id, name, w desc, o desc
    on conflict (user_id, name) do update set
      position = excluded.position, key_id = excluded.key_id, sealed = excluded.sealed, media_id = excluded.media_id;
  end if;

  if p_rows ? 'removed_profile_fields' then
    delete from profile_fields using jsonb_to_recordset(p_rows->'removed_profile_fields') as r(w int, user_id text, name text)
    where profile_fields.user_id = r.user_id and profile_fields.name = r.name and starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'account_data' then
    insert into account_data (user_id, room_nid, type, position, key_id, sealed, media_ids)
    select distinct on (user_id, room_nid, type) user_id, room_nid, type, starts[r.w + 1] + o + 1, key_id, sealed,
      coalesce(media_ids, '{}')
    from jsonb_to_recordset(p_rows->'account_data')
      as r(w int, o int, user_id text, room_nid bigint, type text, key_id bigint, sealed bytea, media_ids text[])
    where starts[r.w + 1] is not null
    order by user_id, room_nid, type, w desc, o desc
    on conflict (user_id, room_nid, type) do update
      set position = excluded.position, key_id = excluded.key_id, sealed = excluded.sealed, media_ids = excluded.media_ids;
  end if;

  -- The same pushkey of an app is one user's, unless others are to keep it. Who sets a
  -- pusher again changes it, and its backlog waits no longer; of a user's pushers beyond
  -- a hundred the oldest go.
  if p_rows ? 'pushers' then
    for pusher in
      select * from jsonb_to_recordset(p_rows->'pushers')
        as r(w int, o int, pusher_id bigint, user_id text, device_id text, key_hash bytea, kind text, is_enabled boolean,
          shard smallint, is_appended boolean, key_id bigint, sealed bytea, created_ts bigint)
      where starts[r.w + 1] is not null order by w
    loop
      if not pusher.is_appended then
        delete from pushers where key_hash = pusher.key_hash and user_id <> pusher.user_id;
      end if;
      insert into pushers (
        pusher_id, user_id, device_id, key_hash, kind, is_enabled, shard, since_position, key_id, sealed, created_ts)
      values (
        pusher.pusher_id, pusher.user_id, pusher.device_id, pusher.key_hash, pusher.kind, pusher.is_enabled, pusher.shard,
        starts[pusher.w + 1] + pusher.o + 1, pusher.key_id, pusher.sealed, pusher.created_ts)
      on conflict (key_hash, user_id) do update set kind = excluded.kind, is_enabled = excluded.is_enabled,
        key_id = excluded.key_id, sealed = excluded.sealed,
        since_position = case when pushers.is_enabled then pushers.since_position else excluded.since_position end
      returning pusher_id into stored_id;
      insert into pusher_states (pusher_id) values (stored_id)
      on conflict (pusher_id) do update set failures = 0, failing_since_ts = null, retry_ts = '-infinity';
      delete from pushers where user_id = pusher.user_id and pusher_id in (
        select p.pusher_id from pushers p where p.user_id = pusher.user_id
        order by p.created_ts desc, p.pusher_id desc offset 100);
    end loop;
  end if;

  if p_rows ? 'removed_pushers' then
    delete from pushers using jsonb_to_recordset(p_rows->'removed_pushers') as r(w int, user_id text, key_hash bytea)
    where pushers.user_id = r.user_id and pushers.key_hash = r.key_hash and starts[r.w + 1] is not null;
  end if;

  -- What a deactivated account leaves behind, besides its devices.
  if p_rows ? 'cleared_users' then
    delete from profile_fields using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where profile_fields.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from account_data using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where account_data.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from filters using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where filters.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from stripped_states using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where stripped_states.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from notifications using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where notifications.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from push_modes using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where push_modes.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from pushers using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where pushers.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from third_party_ids using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where third_party_ids.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from external_ids using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where external_ids.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from delayed_events using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where delayed_events.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from known_places using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where known_places.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from download_counts using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where download_counts.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from thread_subscriptions using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where thread_subscriptions.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from cross_signing_keys using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where cross_signing_keys.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from key_signatures using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where key_signatures.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from dehydrated_devices using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where dehydrated_devices.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from user_attributes using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where user_attributes.user_id = r.user_id and starts[r.w + 1] is not null;
    delete from withheld_rooms using jsonb_to_recordset(p_rows->'cleared_users') as r(w int, user_id text)
    where withheld_rooms.user_id = r.user_id and starts[r.w + 1] is not null;
  end if;

  if p_rows ?| '{authority,admin_tokens,removed_admin_tokens,cleared_users}' then
    perform store_authority(p_rows, starts, p_now);
  end if;

  if p_rows ?| '{third_party_ids,removed_third_party_ids,external_ids,removed_external_ids,pending_erasures,removed_erasures,due_erasures,held_erasures,notice_rooms,registration_tokens,registration_token_changes,removed_registration_tokens,job_pauses}' then
    perform store_accounts(p_rows, starts);
  end if;

  if p_rows ?| '{room_blocks,removed_room_blocks,admin_jobs,cancelled_admin_jobs,admin_job_items,pruned_extremities,quarantined_media,released_media,media_protections,removed_media,removed_reports}' then
    perform store_admin_rows(p_rows, starts, p_now);
  end if;

  if p_rows ? 'removed_url_previews' then
    with deleted as (
      delete from url_previews using jsonb_to_recordset(p_rows->'removed_url_previews') as r(w int, url_hash bytea, fetched_ts bigint)
      where (url_previews.url_hash, url_previews.fetched_ts) = (r.url_hash, r.fetched_ts) and starts[r.w + 1] is not null
      returning url_previews.media_id
    )
    delete from media using deleted
    where media.media_id = deleted.media_id
      and not is_named(media.media_id);
  end if;

  if p_rows ?| '{holds,hold_releases}' then
    perform store_holds(p_rows, starts, p_now);
  end if;

  if p_rows ?| '{alerts,alert_acknowledgements}' then
    perform store_alerts(p_rows, starts, p_now);
  end if;

  if p_rows ?| '{approval_uses,approval_changes}' then
    perform store_approvals(p_rows, starts);
  end if;

  if p_rows ?| '{policy_versions,policy_activations,user_attributes,room_attributes,inherited_attributes}' then
    perform store_policies(p_rows, starts, p_now);
  end if;

  if p_rows ?| '{retention_drafts,retention_trials,retention_activations,removed_retention_policies}' then
    perform store_retention(p_rows, starts);
  end if;

  if p_rows ?| '{privacy_requests,privacy_request_changes,consents}' then
    perform store_privacy(p_rows, starts);
  end if;

  if p_rows ?| '{import_row_ends,cancelled_admin_jobs,campaigns,incidents,incident_changes}' then
    perform store_campaigns(p_rows, starts);
  end if;

  -- Messages to devices that are gone are dropped.
  if p_rows ? 'to_device' then
    insert into to_device (user_id, device_id, position, ordinal, key_id, sealed)
    select r.user_id, r.device_id, starts[r.w + 1] + o + 1, ordinal, r.key_id, r.sealed
    from jsonb_to_recordset(p_rows->'to_device')
      as r(w int, o int, ordinal smallint, user_id text, device_id text, key_id bigint, sealed bytea)
    join devices on devices.user_id = r.user_id and devices.device_id = r.device_id
    where starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'device_keys' then
    insert into device_keys (user_id, device_id, json)
    select distinct on (user_id, device_id) user_id, device_id, json
    from jsonb_to_recordset(p_rows->'device_keys') as r(w int, user_id text, device_id text, json text)
    where starts[r.w + 1] is not null
    order by user_id, device_id, w desc
    on conflict (user_id, device_id) do update set json = excluded.json;
  end if;

  if p_rows ? 'one_time_keys' then
    insert into one_time_keys (user_id, device_id, algorithm, key_id, position, json)
    select user_id, device_id, algorithm, key_id, starts[r.w + 1] + o + 1, json
    from jsonb_to_recordset(p_rows->'one_time_keys')
      as r(w int, o int, user_id text, device_id text, algorithm text, key_id text, json text)
    where starts[r.w + 1] is not null
    on conflict do nothing;
  end if;

  if p_rows ? 'fallback_keys' then
    insert into fallback_keys (user_id, device_id, algorithm, key_id, json, is_used)
    select distinct on (user_id, device_id, algorithm) user_id, device_id, algorithm, key_id, json, false
    from jsonb_to_recordset(p_rows->'fallback_keys')
      as r(w int, user_id text, device_id text, algorithm text, key_id text, json text)
    where starts[r.w + 1] is not null
    order by user_id, device_id, algorithm, w desc
    on conflict (user_id, device_id, algorithm) do update
      set key_id = excluded.key_id, json = excluded.json,
        is_used = fallback_keys.is_used and fallback_keys.json = excluded.json;
  end if;

  if p_rows ? 'cross_signing_keys' then
    insert into cross_signing_keys (user_id, usage, json, position)
    select distinct on (user_id, usage) user_id, usage, json, starts[r.w + 1] + o + 1
    from jsonb_to_recordset(p_rows->'cross_signing_keys') as r(w int, o int, user_id text, usage text, json text)
    where starts[r.w + 1] is not null
    order by user_id, usage, w desc
    on conflict (user_id, usage) do update set json = excluded.json, position = excluded.position;
  end if;

  if p_rows ? 'key_signatures' then
    insert into key_signatures (user_id, target, signer, signing_key, signature, signed_hash)
    select distinct on (user_id, target, signer, signing_key)
      user_id, target, signer, signing_key, signature, signed_hash
    from jsonb_to_recordset(p_rows->'key_signatures')
      as r(w int, user_id text, target text, signer text, signing_key text, signature text, signed_hash bytea)
    where starts[r.w + 1] is not null
    order by user_id, target, signer, signing_key, w desc
    on conflict (user_id, target, signer, signing_key) do update
      set signature = excluded.signature, signed_hash = excluded.signed_hash;
  end if;

  if p_rows ? 'dehydrated_devices' then
    insert into dehydrated_devices (user_id, device_id, position, key_id, sealed)
    select distinct on (user_id) user_id, device_id, starts[r.w + 1] + o + 1, key_id, sealed
    from jsonb_to_recordset(p_rows->'dehydrated_devices')
      as r(w int, o int, user_id text, device_id text, key_id bigint, sealed bytea)
    where starts[r.w + 1] is not null
    order by user_id, w desc, o desc
    on conflict (user_id) do update set device_id = excluded.device_id, position = excluded.position,
      key_id = excluded.key_id, sealed = excluded.sealed;
  end if;

  if p_rows ? 'reports' then
    insert into reports (report_id, position, reporter, room_id, event_id, user_id, key_id, sealed, created_ts)
    select report_id, starts[r.w + 1] + o + 1, reporter, room_id, event_id, user_id, key_id, sealed, created_ts
    from jsonb_to_recordset(p_rows->'reports')
      as r(w int, o int, report_id bigint, reporter text, room_id text, event_id text, user_id text, key_id bigint,
        sealed bytea, created_ts bigint)
    where starts[r.w + 1] is not null;
  end if;

  if p_rows ? 'device_list_changes' then
    insert into device_list_changes (user_id, position, viewer)
    select user_id, starts[r.w + 1] + o + 1, coalesce(viewer, '')
    from jsonb_to_recordset(p_rows->'device_list_changes') as r(w int, o int, user_id text, viewer text)
    where starts[r.w + 1] is not null
    on conflict do nothing;
  end if;
end $$;
