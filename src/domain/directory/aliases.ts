import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { RoomEvent } from "../../core/event.ts";
import { isRoomAlias } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { listAliases, listAliasesOfRoom } from "../../storage/aliases.ts";
import type { Requester } from "../accounts/requester.ts";
import { auditRecord } from "../admin/audit-record.ts";
import { isAllowed } from "../admin/can.ts";
import { getJoinedRoom } from "../rooms/joined-room.ts";
import {
  findRoomIdentity,
  mapRoomIdentities,
  type RoomIdentity,
} from "../rooms/room-identity.ts";
import { makeAnew } from "../rooms/make-anew.ts";
import type { Proposal } from "../rooms/proposal.ts";
import { getReadableState, notReadable } from "../rooms/read-state.ts";
import { LostRace } from "../rooms/room-queue.ts";
import { writeToRoom, type WriterEdges } from "../rooms/room-writer.ts";
import { readAliasPower } from "./alias-power.ts";

const CANONICAL = "m.room.canonical_alias";

/**
 * Gives a room that one is in an alias of this server.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directoryroomroomalias
 */
export async function createAlias(
  edges: WriterEdges,
  { userId }: Pick<Requester, "userId">,
  alias: string,
  roomId: string,
): Promise<void> {
  const { serverName } = edges.settings;
  if (!isRoomAlias(alias) || !alias.endsWith(`:${serverName}`)) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      `An alias here looks like #name:${serverName}.`,
    );
  }
  const { roomNid } = await getJoinedRoom(edges, userId, roomId);
  const row = { alias, roomNid, creator: userId, createdTs: edges.now() };
  const outcome = await edges.committer.commit({
    positions: 1,
    activeUsers: [userId],
    rows: { newAliases: [row] },
  });
  if (outcome.status !== "committed") {
    throw new MatrixError("M_UNKNOWN", "This room alias is already taken.");
  }
}

/**
 * Takes an alias away: by who made it, by who may change the room's canonical
 * alias, by an administrator. The canonical alias event lets go of it.
 */
export function deleteAlias(
  edges: WriterEdges,
  requester: Pick<Requester, "userId" | "actedBy">,
  alias: string,
): Promise<void> {
  return makeAnew(() => deleteNow(edges, requester, alias));
}

async function deleteNow(
  edges: WriterEdges,
  requester: Pick<Requester, "userId" | "actedBy">,
  alias: string,
): Promise<void> {
  const { userId } = requester;
  const [row] = isRoomAlias(alias) ? await listAliases(edges.db, [alias]) : [];
  if (!row) {
    throw new MatrixError("M_NOT_FOUND", "This room alias is not known here.");
  }
  const power = await readAliasPower(edges, row.roomNid, userId);
  const mayDelete = row.creator === userId || power.mayChange;
  if (!mayDelete && !(await mayModerate(edges, requester, row.roomNid))) {
    throw new MatrixError(
      "M_FORBIDDEN",
      "Only who made the alias, or who may change the room's aliases, may delete it.",
    );
  }
  const { canonical, mayChange } = power;
  const proposals =
    canonical && mayChange ? without(canonical, userId, alias) : [];
  const rows = { removedAliases: [{ alias }] };
  // Whoever has no power in the room acts by the power of an administrator.
  const audit = mayDelete
    ? []
    : [
        auditRecord(
          { act: "aliases.delete", actor: userId, target: alias },
          edges.now(),
        ),
      ];
  await writeToRoom(edges, row.roomNid, proposals, { rows, audit });
}

/** Whether one may by the power of an administrator, which nobody has who acts in their place. */
async function mayModerate(
  edges: WriterEdges,
  { userId, actedBy }: Pick<Requester, "userId" | "actedBy">,
  roomNid: number,
): Promise<boolean> {
  if (actedBy !== undefined) return false;
  const room = (await mapRoomIdentities(edges, [roomNid])).get(roomNid);
  const resource = room ? { roomId: room.roomId } : {};
  return isAllowed(edges, { userId }, "aliases.delete", resource);
}

type ReadEdges = Pick<Edges, "db" | "keyring" | "memory" | "trail">;
type Reader = Pick<Requester, "userId" | "actedBy">;

/**
 * The aliases that this server gives a room, for who may read it as it is now, and for
 * administrators who may read what rooms there are.
 */
export async function listRoomAliases(
  edges: ReadEdges,
  reader: Reader,
  roomId: string,
): Promise<string[]> {
  const { roomNid } =
    (await findOpenRoom(edges, reader, roomId)) ??
    (await getRoomByPower(edges, reader, roomId));
  const rows = await listAliasesOfRoom(edges.db, roomNid);
  return rows.map(({ alias }) => alias);
}

async function findOpenRoom(
  edges: ReadEdges,
  { userId }: Reader,
  roomId: string,
): Promise<RoomIdentity | undefined> {
  try {
    const { room, at } = await getReadableState(edges, userId, roomId);
    return at === "now" ? room : undefined;
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}

/** That somebody read by such a power is recorded. */
async function getRoomByPower(
  edges: ReadEdges,
  { userId, actedBy }: Reader,
  roomId: string,
): Promise<RoomIdentity> {
  const room = await findRoomIdentity(edges, roomId);
  const may =
    room !== undefined &&
    actedBy === undefined &&
    (await isAllowed(edges, { userId }, "rooms.read", { roomId }));
  if (!may) throw notReadable();
  edges.trail?.note({ resource: { type: "room", id: roomId } });
  return room;
}

/** The canonical alias event without the alias, if it names it; made anew where it was changed meanwhile. */
function without(
  { eventId, pdu: { content: standing } }: RoomEvent,
  sender: string,
  alias: string,
): Proposal[] {
  const content = contentWithout(standing, alias);
  if (!content) return [];
  return [
    {
      draft: { type: CANONICAL, sender, stateKey: "", content },
      extra: (_event, _at, state) => {
        if (state(CANONICAL, "")?.eventId === eventId) return {};
        throw new LostRace("The canonical alias was changed.");
      },
    },
  ];
}

/** The content without the alias; undefined where it is not named. */
function contentWithout(
  { alias: main, alt_aliases: others }: JsonObject,
  alias: string,
): JsonObject | undefined {
  const list = Array.isArray(others) ? others : [];
  if (main !== alias && !list.includes(alias)) return undefined;
  const rest = list.filter((other) => other !== alias);
  return {
    ...(typeof main === "string" && main !== alias ? { alias: main } : {}),
    ...(list.length > 0 ? { alt_aliases: rest } : {}),
  };
}
