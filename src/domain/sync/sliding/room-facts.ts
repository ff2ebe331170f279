import type { Edges } from "../../../edges.ts";
import { isJsonObject, type JsonValue } from "../../../core/json.ts";
import { listCurrentStateOfRooms } from "../../../storage/events.ts";
import { listEncryptedSince } from "../../../storage/room-order.ts";
import { slot } from "../../../util/process-memory.ts";
import { WeightedCache } from "../../../util/weighted-cache.ts";
import { openEvents } from "../../rooms/event-store.ts";
import { readStrippedTexts } from "../invite-section.ts";
import type { ListedRoom } from "./room-list.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** Of rooms that a user is or was in: what a room was made as never changes. */
const types = slot(
  () => new WeightedCache<number, { type: string | null }>(200_000, () => 1),
);

const isShownOnly = ({ kind }: ListedRoom): boolean =>
  kind === "invite" || kind === "knock";

/** The type of each room; null for one without. */
export async function readRoomTypes(
  edges: Needs,
  userId: string,
  rooms: readonly ListedRoom[],
): Promise<(room: ListedRoom) => string | null> {
  const cache = edges.memory.of(types);
  const found = new Map<number, string | null>();
  const missing: number[] = [];
  for (const room of rooms) {
    const { roomNid } = room.standing;
    const known = isShownOnly(room) ? room.shown : cache.get(roomNid);
    if (known) found.set(roomNid, known.type);
    else if (!isShownOnly(room)) missing.push(roomNid);
  }
  const heads = await listCurrentStateOfRooms(edges.db, missing, [
    "m.room.create",
  ]);
  for (const { roomNid, pdu } of await openEvents(edges, heads)) {
    const type = typeOf(pdu.content);
    found.set(roomNid, type);
    cache.set(roomNid, { type });
  }
  await readShown(edges, userId, rooms);
  return ({ standing, shown }) =>
    shown?.type ?? found.get(standing.roomNid) ?? null;
}

/** Whether a room is encrypted, as far as the user may know. */
export async function readEncrypted(
  edges: Needs,
  userId: string,
  rooms: readonly ListedRoom[],
): Promise<(room: ListedRoom) => boolean> {
  const missing = rooms.filter(
    (room) => !isShownOnly(room) && room.encryptedAt === undefined,
  );
  const rows = await listEncryptedSince(
    edges.db,
    missing.map(({ standing }) => standing.roomNid),
  );
  const found = new Map(rows.map((row) => [row.roomNid, row.position]));
  for (const room of missing)
    room.encryptedAt = found.get(room.standing.roomNid) ?? null;
  await readShown(edges, userId, rooms);
  return (room) => {
    if (isShownOnly(room)) return room.shown?.isEncrypted ?? false;
    const { encryptedAt } = room;
    if (typeof encryptedAt !== "number") return false;
    return room.kind === "join" || encryptedAt <= room.standing.sincePosition;
  };
}

/** Reads what invites and knocks show of their rooms, where that is not known. */
async function readShown(
  edges: Needs,
  userId: string,
  rooms: readonly ListedRoom[],
): Promise<void> {
  const missing = rooms.filter((room) => isShownOnly(room) && !room.shown);
  const texts = await readStrippedTexts(
    edges,
    userId,
    missing.map(({ standing }) => standing.roomNid),
  );
  for (const room of missing) {
    const text = texts.get(room.standing.roomNid) ?? "[]";
    const events = JSON.parse(text) as { type: string; content: JsonValue }[];
    const create = events.find(({ type }) => type === "m.room.create");
    room.shown = {
      type: typeOf(create?.content),
      isEncrypted: events.some(({ type }) => type === "m.room.encryption"),
    };
  }
}

function typeOf(content: JsonValue | undefined): string | null {
  const type = isJsonObject(content) ? content["type"] : undefined;
  return typeof type === "string" ? type : null;
}
