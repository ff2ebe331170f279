import type { Edges } from "../../edges.ts";
import {
  listExtremities,
  type ExtremityOfRoom,
} from "../../storage/rooms-admin.ts";
import { resolveRoom } from "../directory/resolve-room.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";
import { getRoomForAdmin } from "./room-details.ts";

export type { ExtremityOfRoom };

type Needs = Pick<Edges, "committer" | "db" | "memory" | "now">;

/** The ends of a room's graph, the newest first. */
export async function readExtremities(
  edges: Omit<Needs, "committer" | "now">,
  roomIdOrAlias: string,
): Promise<ExtremityOfRoom[]> {
  const roomId = await resolveRoom(edges, roomIdOrAlias);
  const { roomNid } = await getRoomForAdmin(edges, roomId);
  return listExtremities(edges.db, roomNid);
}

/** Leaves the newest end of a room's graph alone; answers how many others there were. */
export async function pruneExtremities(
  edges: Needs,
  by: ActingAdministrator,
  roomIdOrAlias: string,
): Promise<number> {
  const roomId = await resolveRoom(edges, roomIdOrAlias);
  const { roomNid } = await getRoomForAdmin(edges, roomId);
  const [, ...others] = await listExtremities(edges.db, roomNid);
  await edges.committer.commit({
    positions: 1,
    rows: { prunedExtremities: others.map(({ nid }) => ({ roomNid, nid })) },
    audit: [recordOf(by, roomId, edges.now(), { deleted: others.length })],
    wake: { rooms: [roomNid] },
  });
  return others.length;
}
