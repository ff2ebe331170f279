import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isRoomAlias } from "../../core/ids.ts";
import { requiredPowerLevel, userPowerLevel } from "../../core/power-levels.ts";
import { listAliases, listAliasesOfRoom } from "../../storage/aliases.ts";
import type { Requester } from "../accounts/requester.ts";
import { getReadableState } from "../rooms/read-state.ts";
import { loadRoomHead, readState, stateAt } from "../rooms/room-head.ts";
import { getRoomToSpeakIn } from "../rooms/send.ts";
import { writeToRoom, type WriterEdges } from "../rooms/room-writer.ts";

/**
 * Gives a room an alias of this server.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directoryroomroomalias
 */
export async function createAlias(
  edges: WriterEdges,
  { userId }: Requester,
  alias: string,
  roomId: string,
): Promise<void> {
  const { serverName } = edges.settings;
  if (!isRoomAlias(alias) || !alias.endsWith(`:${serverName}`)) {
    throw new MatrixError("M_INVALID_PARAM", `An alias here looks like #name:${serverName}.`);
  }
  const room = await getRoomToSpeakIn(edges, roomId);
  await getReadableState(edges, userId, roomId);
  const [taken] = await listAliases(edges.db, [alias]);
  const outcome = taken
    ? undefined
    : await edges.committer.commit({
        positions: 1,
        activeUsers: [userId],
        rows: {
          newAliases: [{ alias, roomNid: room.roomNid, creator: userId, createdTs: edges.now() }],
        },
      });
  if (outcome?.status !== "committed") {
    throw new MatrixError("M_UNKNOWN", "This room alias is already taken.");
  }
}

/**
 * Takes an alias away: by who made it, by who may change the room's canonical
 * alias, by an administrator. The canonical alias event lets go of it.
 */
export async function deleteAlias(edges: WriterEdges, requester: Requester, alias: string): Promise<void> {
  const [row] = await listAliases(edges.db, [alias]);
  if (!row) throw new MatrixError("M_NOT_FOUND", "This room alias is not known here.");
  const { userId, isAdmin } = requester;
  const power = await canonicalPower(edges, row.roomNid, userId);
  if (row.creator !== userId && !power.mayChange && !isAdmin) {
    throw new MatrixError("M_FORBIDDEN", "Only who made the alias, or who may change the room's aliases, may delete it.");
  }
  await edges.committer.commit({ positions: 1, rows: { removedAliases: [{ alias }] } });
  if (power.content && power.mayChange) {
    const next = withoutAlias(power.content, alias);
    if (next) {
      await writeToRoom(edges, row.roomNid, [
        { draft: { type: "m.room.canonical_alias", sender: userId, stateKey: "", content: next } },
      ]);
    }
  }
}

/** The aliases of a room that this server gave it. */
export async function listRoomAliases(
  edges: Pick<Edges, "db" | "keyring" | "memory">,
  { userId }: Requester,
  roomId: string,
): Promise<string[]> {
  const { room } = await getReadableState(edges, userId, roomId);
  return (await listAliasesOfRoom(edges.db, room.roomNid)).map(({ alias }) => alias);
}

async function canonicalPower(edges: WriterEdges, roomNid: number, userId: string) {
  const head = await loadRoomHead(edges, roomNid);
  await readState(edges, head, [
    ["m.room.create", ""],
    ["m.room.power_levels", ""],
    ["m.room.canonical_alias", ""],
    ["m.room.member", userId],
  ]);
  const create = stateAt(head, "m.room.create", "");
  const levels = stateAt(head, "m.room.power_levels", "");
  const isJoined = stateAt(head, "m.room.member", userId)?.pdu.content["membership"] === "join";
  const { rules } = head.room;
  return {
    content: stateAt(head, "m.room.canonical_alias", "")?.pdu.content,
    mayChange:
      isJoined &&
      create !== undefined &&
      userPowerLevel(rules, create, levels, userId) >=
        requiredPowerLevel(rules, levels, { type: "m.room.canonical_alias", isState: true }),
  };
}

/** The content without the alias; undefined where it is not named. */
function withoutAlias(content: Readonly<Record<string, unknown>>, alias: string) {
  const { alias: main, alt_aliases: others } = content;
  const list = Array.isArray(others) ? (others as unknown[]) : [];
  if (main !== alias && !list.includes(alias)) return undefined;
  return {
    ...(main === alias || typeof main !== "string" ? {} : { alias: main }),
    ...(list.length > 0
      ? { alt_aliases: list.filter((other): other is string => typeof other === "string" && other !== alias) }
      : {}),
  };
}
