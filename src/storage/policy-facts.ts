import type { Sql } from "./database.ts";
import type { Membership } from "./memberships.ts";

export interface UserFactsRow {
  userId: string;
  /** JSON; null where nothing is said of the user. */
  attributes: string | null;
  groups: string[];
}

/** What is said of users, a row for each of them. */
export function listUserFacts(
  sql: Sql,
  userIds: readonly string[],
): Promise<UserFactsRow[]> {
  return sql<UserFactsRow[]>`
    select u.user_id, a.attributes,
      array(select m.group_id from user_group_members m where m.user_id = u.user_id order by 1) as groups
    from unnest(${userIds as string[]}::text[]) as u(user_id)
    left join user_attributes a on a.user_id = u.user_id`;
}

export interface RoomFactsRow {
  roomNid: number;
  roomId: string;
  attributes: string | null;
}

export function listRoomFacts(
  sql: Sql,
  roomNids: readonly number[],
): Promise<RoomFactsRow[]> {
  return sql<RoomFactsRow[]>`
    select r.room_nid, r.room_id, a.attributes
    from rooms r left join room_attributes a on a.room_nid = r.room_nid
    where r.room_nid = any(${roomNids as number[]}::bigint[])`;
}

export interface StandingRow {
  userId: string;
  roomNid: number;
  membership: Membership;
}

/** How these users stand to these rooms. */
export function listStandings(
  sql: Sql,
  userIds: readonly string[],
  roomNids: readonly number[],
): Promise<StandingRow[]> {
  return sql<StandingRow[]>`
    select user_id, room_nid, membership from memberships
    where user_id = any(${userIds as string[]}::text[]) and room_nid = any(${roomNids as number[]}::bigint[])`;
}

/** What is said of a user, or of a room; undefined where nothing is. */
export async function findUserAttributes(
  sql: Sql,
  userId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ attributes: string }[]>`
    select attributes from user_attributes where user_id = ${userId}`;
  return row?.attributes;
}

export async function findRoomAttributes(
  sql: Sql,
  roomNid: number,
): Promise<string | undefined> {
  const [row] = await sql<{ attributes: string }[]>`
    select attributes from room_attributes where room_nid = ${roomNid}`;
  return row?.attributes;
}

/** A device's keys, the key that signs its user's devices, and the signatures of the one by the other. */
export interface DeviceTrustRow {
  deviceKeys: string;
  selfSigningKey: string;
  masterKey: string;
  signatures: { signingKey: string; signedHash: string }[];
}

export async function findDeviceTrust(
  sql: Sql,
  userId: string,
  deviceId: string,
): Promise<DeviceTrustRow | undefined> {
  const [row] = await sql<DeviceTrustRow[]>`
    select d.json as device_keys, s.json as self_signing_key, m.json as master_key,
      coalesce((
        select json_agg(json_build_object('signingKey', k.signing_key, 'signedHash', encode(k.signed_hash, 'hex')))
        from key_signatures k
        where k.user_id = d.user_id and k.target = d.device_id and k.signer = d.user_id), '[]') as signatures
    from device_keys d
    join cross_signing_keys s on s.user_id = d.user_id and s.usage = 'self_signing'
    join cross_signing_keys m on m.user_id = d.user_id and m.usage = 'master'
    where d.user_id = ${userId} and d.device_id = ${deviceId}`;
  return row;
}

/** In which rooms who uploaded a file showed it; none where it is their avatar. */
export async function listRoomsOfMedium(
  sql: Sql,
  mediaId: string,
  most: number,
): Promise<number[]> {
  const rows = await sql<{ roomNid: number }[]>`
    select distinct e.room_nid
    from media_references r join events e on e.nid = r.nid join media m on m.media_id = r.media_id
    where r.media_id = ${mediaId} and e.sender = m.user_id
      and not exists (select from profile_fields p where p.media_id = m.media_id and p.user_id = m.user_id)
    order by room_nid limit ${most}`;
  return rows.map(({ roomNid }) => roomNid);
}
