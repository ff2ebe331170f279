import { escapeText } from "./json-text.ts";
import { DEVICE_LISTS_TOPIC, POLICIES_TOPIC } from "./notifier.ts";
import { ACCEPTED, type EventRow, type Write } from "./write.ts";

/** The arguments of `commit_batch`; JSON as text, bytes as `\x…`. */
export interface BatchArguments {
  positions: number[];
  events: string;
  skeletons: string[];
  firstKeys: (number | null)[];
  secondKeys: (number | null)[];
  sealed: (string | null)[];
  rows: string;
  /** Whom the writes touch. */
  rooms: number[];
  users: string[];
}

type Row = Record<string, unknown>;
type LongParts = Pick<
  BatchArguments,
  "skeletons" | "firstKeys" | "secondKeys" | "sealed"
>;

/** Turns writes into one call; each row names its write (`w`) by its place in the list. */
export function toBatchArguments(writes: readonly Write[]): BatchArguments {
  const events: Row[] = [];
  const long: LongParts = {
    skeletons: [],
    firstKeys: [],
    secondKeys: [],
    sealed: [],
  };
  const rows = new Map<string, Row[]>();
  const rooms = new Set<number>();
  const users = new Set<string>();
  writes.forEach((write, w) => {
    addEvents(write, w, events, long);
    for (const { roomNid } of write.events ?? []) rooms.add(roomNid);
    for (const roomNid of write.wake?.rooms ?? []) rooms.add(roomNid);
    for (const userId of listWoken(write)) users.add(toStorable(userId));
    const add = (table: string, row: Row) => {
      const list = rows.get(table);
      if (list) list.push(row);
      else rows.set(table, [row]);
    };
    addReplies(write, w, add);
    addRows(write, w, add);
  });
  return {
    positions: writes.map(({ positions }) => positions),
    events: toStorableJson(events),
    ...long,
    rows: toStorableJson(Object.fromEntries(rows)),
    rooms: [...rooms],
    users: [...users],
  };
}

function addEvents(
  write: Write,
  w: number,
  events: Row[],
  long: LongParts,
): void {
  let taken = 0;
  for (const event of write.events ?? []) {
    events.push(eventRow(event, w, event.isOutlier ? null : taken++));
    const { content } = event;
    long.skeletons.push(event.skeleton);
    long.firstKeys.push(content?.firstKey ?? null);
    long.secondKeys.push(content?.secondKey ?? null);
    long.sealed.push(content ? hexOf(content.sealed) : null);
  }
  if (taken > write.positions)
    throw new TypeError("The write has more events than positions.");
}

/** What a write adds to threads: they are counted. */
function addReplies(
  { events = [] }: Write,
  w: number,
  add: (table: string, row: Row) => void,
): void {
  let taken = 0;
  for (const event of events) {
    if (event.isOutlier) continue;
    const o = taken++;
    const { relType, relatesTo, stateKey, status, roomNid } = event;
    const isReply =
      relType === "m.thread" && stateKey === null && status === ACCEPTED;
    if (isReply && relatesTo !== null)
      add("replies", { w, o, room_nid: roomNid, thread: relatesTo });
  }
}

const eventRow = (event: EventRow, w: number, o: number | null): Row => ({
  w,
  o,
  nid: event.nid,
  room_nid: event.roomNid,
  event_id: event.eventId,
  type: escapeText(event.type),
  state_key: event.stateKey === null ? null : escapeText(event.stateKey),
  sender: event.sender,
  depth: event.depth,
  origin_server_ts: event.originServerTs,
  received_ts: event.receivedTs,
  snapshot_id: event.snapshotId,
  snapshot_after: event.snapshotAfter,
  replaces_nid: event.replacesNid,
  status: event.status,
  refusal: event.refusal,
  is_countable: event.isCountable,
  has_url: event.hasUrl,
  device_id: event.deviceId,
  txn_id: event.txnId,
  redacts: event.redacts,
  rel_type: event.relType,
  relates_to: event.relatesTo,
  thread: event.thread,
});

function addRows(
  write: Write,
  w: number,
  add: (table: string, row: Row) => void,
): void {
  write.idempotency?.forEach(({ key, answer }, i) => {
    add("idempotency", { w, i, key: hexOf(key), answer });
  });
  for (const user_id of new Set(write.activeUsers))
    add("active_users", { w, user_id });
  for (const { userId, deviceId } of write.liveDevices ?? [])
    add("live_devices", { w, user_id: userId, device_id: deviceId });
  if (write.onlyDevices) add("only_devices", toRow(write.onlyDevices, w));
  if (write.authority) add("authority", toRow(write.authority, w));
  for (const { next, ...room } of write.rooms ?? []) {
    const { roomNid, turn } = room;
    add("rooms", toRow(room, w));
    if (next) add("room_states", toRow({ roomNid, ...next }, w));
    if (turn !== undefined)
      add("room_turns", { w, room_nid: roomNid, holder: turn });
  }
  for (const snapshot of write.snapshots ?? [])
    add("snapshots", toRow(snapshot, w));
  for (const change of write.stateChanges ?? []) {
    const { type, stateKey } = change;
    const place = { type: escapeText(type), state_key: escapeText(stateKey) };
    add("state_changes", { ...toRow(change, w, write.positions), ...place });
  }
  for (const membership of write.memberships ?? [])
    add("memberships", toRow(membership, w, write.positions));
  write.audit?.forEach((record, i) => add("audit", { w, i, record }));
  for (const key_id of listKeys(write)) add("keys", { w, key_id });
  for (const [table, list] of Object.entries(write.rows ?? {})) {
    for (const row of list)
      add(toSnake(table), tableRow(table, row, w, write.positions));
  }
}

/** Tables whose rows name what they change, and leave the rest as it is; by what they name it by. */
const CHANGES: Readonly<Record<string, string>> = {
  userUpdates: "user_id",
  registrationTokenChanges: "token",
};

function tableRow(table: string, row: object, w: number, positions: number) {
  const plain = toRow(row, w, positions);
  if (table === "accountData")
    return { ...plain, type: escapeText(String(plain["type"])) };
  const id = CHANGES[table];
  if (id === undefined) return plain;
  const { [id]: named, ...changes } = toRow(row, 0);
  delete changes["w"];
  return { w, [id]: named, changes };
}

/** A row with its columns' names; its `at` becomes `o`, its place in the write. */
function toRow(source: object, w: number, positions = 0): Row {
  const row: Row = { w };
  for (const [name, value] of Object.entries(source) as [string, unknown][]) {
    if (name === "at") {
      if (typeof value !== "number" || value < 0 || value >= positions)
        throw new TypeError("A row stands at a position that its write lacks.");
      row["o"] = value;
    } else {
      row[toSnake(name)] = value instanceof Uint8Array ? hexOf(value) : value;
    }
  }
  return row;
}

/**
 * Whom a write concerns by themselves. What a process remembers for a user's syncs
 * holds until the user is named here, so whoever has rows of their own is.
 */
function listWoken({ wake, memberships = [], rows = {} }: Write): Set<string> {
  const { accountData, devices, fallbackKeys, forgotten } = rows;
  const { oneTimeKeys, removedDevices, strippedStates, toDevice } = rows;
  const { threadSubscriptions, userAttributes } = rows;
  const { groupMembers, removedGroupMembers } = rows;
  const own = [
    ...[memberships, accountData, devices, fallbackKeys, forgotten],
    ...[oneTimeKeys, removedDevices, strippedStates, toDevice],
    ...[threadSubscriptions, userAttributes, groupMembers],
    removedGroupMembers,
  ];
  const users = own.flatMap((list) => list?.map(({ userId }) => userId) ?? []);
  const topics = rows.deviceListChanges?.length ? [DEVICE_LISTS_TOPIC] : [];
  const isOfAll = rows.policyActivations?.length || rows.removedGroups?.length;
  if (isOfAll) topics.push(POLICIES_TOPIC);
  return new Set([...(wake?.users ?? []), ...users, ...topics]);
}

/** The keys that have to be alive when the write commits. */
function listKeys(write: Write): Set<number> {
  const keys = new Set<number>();
  for (const { content } of write.events ?? []) {
    if (content) keys.add(content.firstKey).add(content.secondKey);
  }
  const { accountData, ...rowsOf } = write.rows ?? {};
  const { strippedStates, devices, profileFields, pushers } = rowsOf;
  const { toDevice, dehydratedDevices, reports } = rowsOf;
  const { thirdPartyIds, externalIds, approvals } = rowsOf;
  const sealed = [
    ...[strippedStates, devices, profileFields, pushers],
    ...[toDevice, dehydratedDevices, reports, thirdPartyIds, externalIds],
    approvals,
  ];
  for (const rows of sealed) {
    for (const { keyId } of rows ?? []) keys.add(keyId);
  }
  for (const { keyId, sealed } of accountData ?? []) {
    if (sealed) keys.add(keyId);
  }
  keys.delete(0);
  return keys;
}

const names = new Map<string, string>();

function toSnake(name: string): string {
  let snake = names.get(name);
  if (snake === undefined) {
    snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    names.set(name, snake);
  }
  return snake;
}

const hexOf = (bytes: Uint8Array): string =>
  `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;

/** Escapes that jsonb does not take: U+0000 and lone surrogates. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/i;

/** JSON that jsonb takes; strings that it does not take are stored escaped once more. */
function toStorableJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!UNSTORABLE.test(json)) return json;
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "string" ? toStorable(item) : item,
  );
}

const toStorable = (text: string): string =>
  text.includes("\0") || /\p{Surrogate}/u.test(text) ? escapeText(text) : text;
