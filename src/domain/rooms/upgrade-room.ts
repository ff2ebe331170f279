import { canonicalJson } from "../../core/canonical-json.ts";
import { MatrixError } from "../../core/errors.ts";
import type { RoomEvent } from "../../core/event.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  creatorsOf,
  requiredPowerLevel,
  userPowerLevel,
} from "../../core/power-levels.ts";
import { getRoomRules, type RoomRules } from "../../core/room-version.ts";
import { listAliasesOfRoom } from "../../storage/aliases.ts";
import { listEventHeads, listStateHeadsOfType } from "../../storage/events.ts";
import { listMembersOf } from "../../storage/memberships.ts";
import { findRoomByNid } from "../../storage/rooms.ts";
import type { WriteRows } from "../../storage/write.ts";
import { readMemberProfile } from "../accounts/member-profile.ts";
import type { Requester } from "../accounts/requester.ts";
import { areUnlimited } from "../policies/enforce.ts";
import { assertMaySend } from "../policies/may-write.ts";
import { openEvents } from "./event-store.ts";
import { getJoinedRoom } from "./joined-room.ts";
import { inheritFrom } from "./inheritance.ts";
import { makeAnew } from "./make-anew.ts";
import { newRoomId } from "./new-room-id.ts";
import { assertUserIds } from "./parse-room-request.ts";
import type { EventDraft, Proposal } from "./proposal.ts";
import {
  loadRoomHead,
  newRoomHead,
  readState,
  type RoomHead,
  stateAt,
} from "./room-head.ts";
import { writeNewRoom, type WriterEdges, writeToRoom } from "./room-writer.ts";
import {
  silencedPowerLevels,
  upgradedPowerLevels,
} from "./upgraded-power-levels.ts";

const COPIED = [
  "m.room.join_rules",
  "m.room.history_visibility",
  "m.room.guest_access",
  "m.room.encryption",
  "m.room.name",
  "m.room.topic",
  "m.room.avatar",
  "m.room.server_acl",
  "m.room.canonical_alias",
];

interface Asked {
  version: string;
  additionalCreators?: string[];
}

/**
 * Replaces a room by one of another version, which takes over its state, its
 * aliases and its place in the directory; then the old room points to it.
 * https://spec.matrix.org/v1.19/client-server-api/#room-upgrades
 */
export async function upgradeRoom(
  edges: WriterEdges,
  { userId }: Pick<Requester, "userId">,
  roomId: string,
  asked: Asked,
): Promise<string> {
  const rules = getRoomRules(asked.version);
  const additional = additionalCreators(asked, rules, userId);
  const { roomNid } = await getJoinedRoom(edges, userId, roomId);
  const old = await loadRoomHead(edges, roomNid);
  await readState(edges, old, [
    ["m.room.create", ""],
    ["m.room.power_levels", ""],
    ["m.room.tombstone", ""],
    ...COPIED.map((type) => [type, ""] as const),
  ]);
  assertMayUpgrade(old, userId);
  if (!areUnlimited(edges)) {
    const tombstone = { type: "m.room.tombstone", sender: userId, content: {} };
    await assertMaySend(edges, roomNid, { ...tombstone, stateKey: "" });
  }
  const copied = [
    ...(await copiedDrafts(edges, old, rules, userId, additional)),
    powerLevelsDraft(old, rules, userId, [userId, ...additional]),
  ];
  const now = edges.now();
  // Upgrades that are alike to the millisecond would share an id: later ones are a little later.
  const replacement = await makeAnew((attempt) => {
    const create = createDraft(old, rules, userId, additional, now + attempt);
    return writeReplacement(edges, old, rules, create, copied);
  });
  await closeOldRoom(edges, old, userId, replacement);
  return replacement.roomId;
}

/** "When upgrading to a room version which doesn't support additional creators, this field is ignored". */
function additionalCreators(
  { additionalCreators: asked }: Asked,
  rules: RoomRules,
  userId: string,
): string[] {
  if (!rules.authorization.additionalCreators) return [];
  assertUserIds(asked, "additional_creators");
  return [...new Set(asked)].filter((id) => id !== userId);
}

function assertMayUpgrade(old: RoomHead, userId: string): void {
  const { rules } = old.room;
  const create = stateAt(old, "m.room.create", "");
  const levels = stateAt(old, "m.room.power_levels", "");
  const required = requiredPowerLevel(rules, levels, {
    type: "m.room.tombstone",
    isState: true,
  });
  if (userPowerLevel(rules, create, levels, userId) < required) {
    throw new MatrixError("M_FORBIDDEN", "You cannot upgrade this room.");
  }
}

function createDraft(
  old: RoomHead,
  rules: RoomRules,
  sender: string,
  additional: readonly string[],
  originServerTs: number,
): EventDraft {
  const was = stateAt(old, "m.room.create", "")?.pdu.content ?? {};
  const last = old.extremities[0]?.eventId;
  const isNamedByHash = rules.authorization.roomIdIsCreateHash;
  const content: JsonObject = {
    room_version: rules.version,
    predecessor: {
      room_id: old.room.roomId,
      ...(isNamedByHash || last === undefined ? {} : { event_id: last }),
    },
    ...(rules.authorization.creatorFromSender ? {} : { creator: sender }),
    ...(additional.length > 0 ? { additional_creators: [...additional] } : {}),
    ...(was["type"] === undefined ? {} : { type: was["type"] }),
    ...(was["m.federate"] === undefined
      ? {}
      : { "m.federate": was["m.federate"] }),
  };
  return {
    type: "m.room.create",
    sender,
    stateKey: "",
    content,
    originServerTs,
  };
}

/** The state that goes along, and the bans; nothing that the new room would refuse. */
async function copiedDrafts(
  edges: WriterEdges,
  old: RoomHead,
  rules: RoomRules,
  sender: string,
  additional: readonly string[],
): Promise<EventDraft[]> {
  const { roomNid } = old.room;
  const draft = (type: string, stateKey: string, content: JsonObject) => ({
    type,
    sender,
    stateKey,
    content,
  });
  const isSpace =
    stateAt(old, "m.room.create", "")?.pdu.content["type"] === "m.space";
  const members = await listMembersOf(edges.db, roomNid, ["ban"]);
  const banned = members.filter(({ userId }) => !additional.includes(userId));
  const bans = await openEvents(
    edges,
    await listEventHeads(
      edges.db,
      banned.map(({ nid }) => nid),
    ),
  );
  const children = isSpace
    ? await openEvents(
        edges,
        await listStateHeadsOfType(edges.db, roomNid, "m.space.child"),
      )
    : [];
  const copied = [
    ...COPIED.flatMap((type) => {
      const content = stateAt(old, type, "")?.pdu.content;
      return content ? [draft(type, "", content)] : [];
    }),
    ...children.flatMap(({ type, stateKey, pdu }) =>
      stateKey?.startsWith("!") ? [draft(type, stateKey, pdu.content)] : [],
    ),
  ];
  return [
    ...copied.filter(({ content }) => isWritable(rules, content)),
    ...bans.map(({ type, stateKey, pdu }) =>
      draft(type, stateKey ?? "", banContent(pdu.content)),
    ),
  ];
}

const banContent = ({ reason }: JsonObject): JsonObject => ({
  membership: "ban",
  ...(typeof reason === "string" ? { reason } : {}),
});

/** Old room versions took numbers that canonical JSON has no form for. */
function isWritable(rules: RoomRules, content: JsonObject): boolean {
  try {
    if (rules.strictCanonicalJson) canonicalJson(content);
    return true;
  } catch (error) {
    if (error instanceof MatrixError) return false;
    throw error;
  }
}

/** Last of all: until they stand the creator can do everything. */
function powerLevelsDraft(
  old: RoomHead,
  to: RoomRules,
  sender: string,
  newCreators: readonly string[],
): EventDraft {
  const from = old.room.rules;
  const create = stateAt(old, "m.room.create", "") as RoomEvent;
  const content = upgradedPowerLevels(
    stateAt(old, "m.room.power_levels", "")?.pdu.content ?? {
      users: { [sender]: 100 },
    },
    { from, to, newCreators, oldCreators: creatorsOf(from, create) },
  );
  return { type: "m.room.power_levels", sender, stateKey: "", content };
}

interface Replacement {
  roomId: string;
  roomNid: number;
}

/** The new room with a copy of the state that it takes over, in one commit. */
async function writeReplacement(
  edges: WriterEdges,
  old: RoomHead,
  rules: RoomRules,
  create: EventDraft,
  copied: readonly EventDraft[],
): Promise<Replacement> {
  const { sender } = create;
  const roomId = newRoomId(edges, rules, create);
  const [roomNid] = await edges.nids.take(1);
  if (roomNid === undefined) throw new TypeError("no number for the room");
  const rows: Partial<WriteRows> = {
    newRooms: [
      {
        roomNid,
        roomId,
        roomVersion: rules.version,
        isResident: true,
        createdTs: edges.now(),
      },
    ],
    inheritedAttributes: [{ roomNid, fromRoomNid: old.room.roomNid }],
  };
  const head = newRoomHead({ roomNid, roomId, rules });
  const profile = await readMemberProfile(edges, sender);
  const content = { ...profile, membership: "join" };
  const join = { type: "m.room.member", sender, stateKey: sender, content };
  const proposals: Proposal[] = [
    { draft: create },
    {
      draft: join,
      ...(await inheritFrom(edges, sender, old.room.roomId, head.room)),
    },
    ...copied.map((draft) => ({ draft })),
  ];
  await writeNewRoom(edges, head, proposals, { rows });
  return { roomId, roomNid };
}

/** The rows that move a room's aliases and its place in the directory to another room. */
async function moveRows(
  { db }: WriterEdges,
  fromRoomNid: number,
  roomNid: number,
): Promise<Partial<WriteRows>> {
  const aliases = await listAliasesOfRoom(db, fromRoomNid);
  const isPublished = (await findRoomByNid(db, fromRoomNid))?.isPublished;
  return {
    movedAliases: aliases.map(({ alias }) => ({ alias, fromRoomNid, roomNid })),
    roomPublications: isPublished
      ? [
          { roomNid, isPublished },
          { roomNid: fromRoomNid, isPublished: false },
        ]
      : [],
  };
}

/**
 * What is moved commits with the tombstone: an upgrader who has lost the power for it
 * meanwhile leaves the old room whole. What else they have no power for stays undone.
 */
async function closeOldRoom(
  edges: WriterEdges,
  old: RoomHead,
  sender: string,
  replacement: Replacement,
): Promise<void> {
  const { roomNid, rules } = old.room;
  const write = (
    type: string,
    content: JsonObject,
    rows: Partial<WriteRows> = {},
  ) => {
    const draft = { type, sender, stateKey: "", content };
    return writeToRoom(edges, roomNid, [{ draft }], { rows });
  };
  await write(
    "m.room.tombstone",
    {
      body: "This room has been replaced",
      replacement_room: replacement.roomId,
    },
    await moveRows(edges, roomNid, replacement.roomNid),
  );
  const levels = stateAt(old, "m.room.power_levels", "")?.pdu.content;
  const rest = [
    ...(stateAt(old, "m.room.canonical_alias", "")
      ? [write("m.room.canonical_alias", {})]
      : []),
    ...(levels
      ? [write("m.room.power_levels", silencedPowerLevels(rules, levels))]
      : []),
  ];
  for (const result of await Promise.allSettled(rest)) {
    if (result.status === "fulfilled") continue;
    const error: unknown = result.reason;
    const isRefused =
      error instanceof MatrixError && error.errcode === "M_FORBIDDEN";
    if (!isRefused) throw error;
  }
}
