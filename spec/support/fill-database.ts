import type { Sql } from "../../src/storage/database.ts";

const USERS = 3000;
const ROOMS = 1500;
const EVENTS = 30_000;

/**
 * Fills the tables that grow with rows that lead nowhere, in numbers that make a plan
 * for a small table a bad one: 1,500 rooms of some members, and one of 3,000.
 */
export async function fillDatabase(sql: Sql): Promise<void> {
  await sql.unsafe(`
    insert into users (user_id, created_ts) select '@fill' || i || ':test', 1 from generate_series(1, ${USERS}) i;
    insert into devices (user_id, device_id, key_id, sealed, created_ts)
      select '@fill' || i || ':test', 'D' || j, 0, '', 1 from generate_series(1, ${USERS}) i, generate_series(1, 2) j;
    insert into access_tokens (token_hash, token_id, user_id, device_id, created_ts)
      select sha256(i::text::bytea), -i, '@fill' || i || ':test', 'D1', 1 from generate_series(1, ${USERS}) i;
    insert into refresh_tokens (token_hash, user_id, device_id, access_token_id, created_ts)
      select sha256(i::text::bytea), '@fill' || i || ':test', 'D1', -i, 1 from generate_series(1, ${USERS}) i;
    insert into rooms (room_nid, room_id, room_version, is_published, created_ts)
      select -i, '!fill' || i, '12', i % 2 = 0, 1 from generate_series(1, ${ROOMS}) i;
    insert into room_aliases (alias, room_nid, creator, created_ts)
      select '#fill' || i || ':test', -i, '@fill1:test', 1 from generate_series(1, ${ROOMS}) i;
    insert into forward_extremities (room_nid, nid) select -i, -i from generate_series(1, ${ROOMS}) i;
    insert into events (nid, room_nid, position, depth, arrival, origin_server_ts, received_ts, room_count, thread_count,
        is_countable, event_id, type, sender, redacted_by, thread, rel_type, relates_to, redacts, skeleton)
      select -i, -(i % ${ROOMS} + 1), i, i, i, 1, 1, i, i, true, '$fill' || i, 'm.room.message', '@fill' || (i % 97 + 1) || ':test',
        case when i % 50 = 0 then -i end, case when i % 20 = 0 then '$root' end,
        case when i % 10 = 0 then 'm.thread' end, case when i % 10 = 0 then '$fill' || (i - 1) end,
        case when i % 50 = 1 then '$fill' || (i - 1) end, repeat('x', 300)
      from generate_series(1, ${EVENTS}) i;
    insert into threads (room_nid, thread, replies, last_position)
      select room_nid, relates_to, 1, position from events where rel_type = 'm.thread';
    insert into thread_subscriptions (user_id, room_nid, thread, is_subscribed, is_automatic, position)
      select '@fill' || i || ':test', -(i % ${ROOMS} + 1), '$fill' || i, true, false, i from generate_series(1, ${USERS}) i;
    insert into delayed_events (delay_key, user_id, room_id, type, delay_ms, running_since, send_ts, key_id, sealed, finalised_ts)
      select sha256(i::text::bytea), '@fill' || i || ':test', '!fill' || i, 'm.x', 1, 1, 9e15 - i, 0, '',
        case when i % 2 = 0 then 1 end
      from generate_series(1, ${USERS}) i;
    insert into event_contents (nid, first_key, second_key, sealed)
      select -i, 0, 0, repeat('x', 100)::bytea from generate_series(1, ${EVENTS}) i;
    insert into held_contents (nid, hold_id, first_key, second_key, sealed)
      select -i, 'fill' || i % 97, 0, 0, '' from generate_series(1, ${USERS}) i;
    insert into held_references (nid, media_id, hold_id)
      select -i, 'fill' || i, 'fill' || i % 97 from generate_series(1, ${USERS}) i;
    insert into held_data (hold_id, user_id, source, place, kept_ts, key_id, sealed)
      select 'fill' || i % 97, '@fill' || i || ':test', 'account_data', '{}', 1, 0, '' from generate_series(1, ${USERS}) i;
    insert into state_snapshots (snapshot_id, room_nid, hops, size, added, removed, hash)
      select -i, -(i % ${ROOMS} + 1), 0, 1, '', '', sha256(i::text::bytea) from generate_series(1, ${USERS}) i;
    insert into memberships (user_id, room_nid, membership, sender, nid, position, since_position)
      select '@fill' || i || ':test', -r, case when i % 9 = 0 then 'leave' else 'join' end, '', -i, i, i
      from generate_series(1, ${USERS}) i,
        lateral (select 1 as r union select i % ${ROOMS} + 1 union select i * 7 % ${ROOMS} + 1 union select i * 31 % ${ROOMS} + 1) r;
    insert into stays (user_id, room_nid, joined_position, left_position)
      select user_id, room_nid, 1, case when membership <> 'join' then position end from memberships where position > 1 or membership = 'join';
    insert into current_state (room_nid, type, state_key, nid)
      select room_nid, 'm.room.member', user_id, nid from memberships
      union all select -r, 'fill.' || t, '', -r from generate_series(1, ${ROOMS}) r, generate_series(1, 8) t;
    insert into state_changes (room_nid, position, type, state_key, new_nid)
      select room_nid, position, 'm.room.member', user_id, nid from memberships
      union all select -r, t, 'fill.' || t, '', -r from generate_series(1, ${ROOMS}) r, generate_series(1, 8) t;
    insert into stripped_states (user_id, room_nid, key_id, sealed)
      select '@fill' || i || ':test', -(i % ${ROOMS} + 1), 0, '' from generate_series(1, ${USERS}) i;
    insert into own_positions (room_nid, user_id, thread, slice, position)
      select room_nid, user_id, 'main', position >> 10, position from memberships;
    insert into receipts (room_nid, user_id, receipt_type, thread, event_id, event_position, receipt_ts, position)
      select room_nid, user_id, 'm.read', '', '$fill1', 1, 1, position from memberships;
    insert into push_modes (user_id, room_id, mode, since_position, position)
      select '@fill' || i || ':test', '', 'rows', 1, i from generate_series(1, ${USERS}) i;
    insert into notifications (user_id, room_nid, position, nid, thread, is_highlight, is_counted)
      select '@fill' || (i % ${USERS}) || ':test', -(i % ${ROOMS} + 1), i, -i, 'main', true, true from generate_series(1, ${EVENTS}) i;
    insert into pushers (pusher_id, user_id, device_id, key_hash, kind, is_enabled, shard, since_position, key_id, sealed, created_ts)
      select -i, '@fill' || i || ':test', 'D1', sha256(i::text::bytea), 'http', true, i % 16, 0, 0, '', 1 from generate_series(1, ${USERS}) i;
    insert into pusher_states (pusher_id) select -i from generate_series(1, ${USERS}) i;
    insert into push_queue (pusher_id, position, nid, room_nid, thread, actions)
      select -i, j, -i, -1, 'main', '[]' from generate_series(1, ${USERS}) i, generate_series(1, 3) j;
    insert into third_party_ids (user_id, medium, address_hash, key_id, sealed, created_ts)
      select '@fill' || i || ':test', 'email', sha256(i::text::bytea), 0, '', 1 from generate_series(1, ${USERS}) i;
    insert into profile_fields (user_id, name, position, key_id, sealed)
      select '@fill' || i || ':test', f, i, 0, '"fill"' from generate_series(1, ${USERS}) i, unnest('{displayname,avatar_url}'::text[]) f;
    insert into account_data (user_id, room_nid, type, position, key_id, sealed)
      select '@fill' || i || ':test', 0, 'm.push_rules', i, 0, '{}' from generate_series(1, ${USERS}) i;
    insert into account_data (user_id, room_nid, type, position, key_id, sealed)
      select '@fill' || i || ':test', -r * (i % 50 + 1), 'fill.' || t, i, 0, ''
      from generate_series(1, ${USERS}) i, generate_series(0, 1) r, generate_series(1, 4) t;
    insert into filters (user_id, filter_id, hash, key_id, sealed)
      select '@fill' || i || ':test', -i, sha256(i::text::bytea), 0, '' from generate_series(1, ${USERS}) i;
    insert into to_device (user_id, device_id, position, ordinal, key_id, sealed)
      select '@fill' || i || ':test', 'D1', p, 0, 0, '' from generate_series(1, ${USERS}) i, generate_series(1, 5) p;
    insert into device_keys (user_id, device_id, json)
      select '@fill' || i || ':test', 'D1', '{}' from generate_series(1, ${USERS}) i;
    insert into device_list_changes (user_id, position, viewer)
      select '@fill' || (i % ${USERS} + 1) || ':test', i, '' from generate_series(1, ${USERS}) i;
    insert into one_time_keys (user_id, device_id, algorithm, key_id, position, json)
      select '@fill' || i || ':test', 'D1', 'signed_curve25519', 'K' || k, 1, '{}' from generate_series(1, ${USERS}) i, generate_series(1, 5) k;
    insert into fallback_keys (user_id, device_id, algorithm, key_id, json, is_used)
      select '@fill' || i || ':test', 'D1', 'signed_curve25519', 'F', '{}', false from generate_series(1, ${USERS}) i;
    insert into cross_signing_keys (user_id, usage, json, position)
      select '@fill' || i || ':test', u, '{}', i from generate_series(1, ${USERS}) i, unnest('{master,self_signing}'::text[]) u;
    insert into key_signatures (user_id, target, signer, signing_key, signature, signed_hash)
      select '@fill' || i || ':test', 'D1', '@fill' || i || ':test', 'k', 's', '' from generate_series(1, ${USERS}) i;
    insert into key_backups (user_id, version, algorithm, key_id, sealed)
      select '@fill' || i || ':test', v, 'a', 0, '' from generate_series(1, ${USERS}) i, generate_series(1, 2) v;
    insert into backed_up_keys (user_id, version, room_id, session_id, first_message_index, forwarded_count, is_verified, key_id, sealed)
      select '@fill' || i || ':test', 2, '!fill', 's' || k, 0, 0, true, 0, '' from generate_series(1, ${USERS}) i, generate_series(1, 10) k;
    insert into login_tokens (token_hash, user_id, device_id, password_hash_digest, expires_ts)
      select sha256(i::text::bytea), '@fill' || i || ':test', 'D1', '', 9e15 + i from generate_series(1, ${USERS}) i;
    insert into dehydrated_devices (user_id, device_id, position, key_id, sealed)
      select '@fill' || i || ':test', 'D2', i, 0, '' from generate_series(1, ${USERS}) i;
    insert into rendezvous_sessions (id_hash, revision, payload, modified_ts, expires_ts)
      select sha256(i::text::bytea), 'r', '', 1, 9e15 + i from generate_series(1, ${USERS}) i;
    insert into keys (key_id, scope, owner, span, master_epoch, wrapped, created_ts)
      select -i, 'user', '@fill' || i || ':test', '', 1, '', 1 from generate_series(1, ${USERS}) i;
    insert into media_blobs (blob_id, user_id, state, hash, size, is_sealed)
      select 'fill' || i, '@fill' || i || ':test', 'stored', decode(md5(i::text), 'hex'), 1, true from generate_series(1, ${USERS}) i;
    insert into media (media_id, user_id, blob_id, created_ts, is_legacy, key_id, sealed)
      select 'fill' || i, '@fill' || i || ':test', 'fill' || i, 1, false, 0, '' from generate_series(1, ${USERS}) i;
    insert into media_blobs (blob_id, user_id, state, is_sealed, expires_ts)
      select 'gone' || i, '@fill' || i || ':test', 'dropped', true, now() + interval '1 day' from generate_series(1, ${USERS}) i;
    insert into media (media_id, user_id, created_ts, expires_ts, is_legacy, key_id)
      select 'open' || i, '@fill' || i || ':test', 1, 9007199254740991, false, 0 from generate_series(1, ${USERS}) i;
    insert into blocked_rooms (room_id, blocked_by, blocked_ts)
      select '!fill' || i, '@fill1:test', 1 from generate_series(1, ${USERS}) i;
    insert into admin_jobs (job_id, kind, room_id, params, state, not_before, created_by, created_ts, ended_ts)
      select 'fill' || i, 'purge-history', '!fill' || i, '{}', 'complete', i, '@fill1:test', i, 9e15
      from generate_series(1, ${USERS}) i;
    insert into admin_job_items (job_id, item, kind)
      select 'fill' || i, '@fill' || i || ':test', 'kicked' from generate_series(1, ${USERS}) i;
    insert into quarantine_changes (media_id, is_quarantined, changed_ts)
      select 'fill' || i, true, 1 from generate_series(1, ${USERS}) i;
    insert into media_usage (user_id, bytes) select '@fill' || i || ':test', 1 from generate_series(1, ${USERS}) i;
    insert into media_references (nid, media_id) select -i, 'fill' || i from generate_series(1, ${USERS}) i;
    insert into presence (user_id, device_id, state, status_key, last_active_ts, mark)
      select '@fill' || i || ':test', 'D1', 'offline', 0, 1, i from generate_series(1, ${USERS}) i;
    insert into typing (room_nid, user_id, expires_ts, mark)
      select -(i % ${ROOMS} + 1), '@fill' || i || ':test', 0, i from generate_series(1, ${USERS}) i;
    insert into rate_limits (key, tokens, updated_ts) select 'fill' || i, 1, 1 from generate_series(1, ${USERS}) i;
    insert into idempotency (key, answer, created_ts)
      select sha256(i::text::bytea), '$fill', 1 from generate_series(1, ${EVENTS}) i;
    insert into search_events (nid, room_nid, position, span, words)
      select -i, -(i % ${ROOMS} + 1), i, '2026-11', array[i, i + 1, i + 2] from generate_series(1, ${EVENTS}) i;
    insert into search_spans (room_nid, span, key_id) select -i, '2026-11', 0 from generate_series(1, ${ROOMS}) i;
    insert into reports (report_id, position, reporter, user_id, key_id, sealed, created_ts)
      select i, i, '@fill1:test', '@fill2:test', 0, '', i from generate_series(1, ${USERS}) i;
    insert into audit_log (seq, record, prev_hash, hash)
      select i, json_build_object('v', 1, 'node', 'n', 'ts', i, 'action', 'fill.act' || i % 50, 'result', 'allowed',
        'actor', json_build_object('type', 'user', 'id', (i % 300)::text),
        'resource', json_build_object('type', 'room', 'id', '!fill' || i)), '', '' from generate_series(1, ${USERS}) i;
    insert into approvals (approval_id, requested_by, request_hash, permissions, state, requested_ts, expires_ts, key_id, sealed)
      select 'fill' || i, '@fill' || i || ':test', 'h', '{rooms.delete}', 'used', i, i, 0, '' from generate_series(1, ${USERS}) i;
    insert into batches (batch_id, last_position, committed_ts)
      select gen_random_uuid(), i, 1 from generate_series(1, ${EVENTS}) i;
    select setval('ephemeral_marks', ${USERS});
  `);
  await sql`vacuum analyze`;
}
