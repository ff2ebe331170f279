import type { Edges } from "../../edges.ts";
import { escapeText } from "../../storage/json-text.ts";
import { listCurrentStateAt } from "../../storage/events.ts";
import { openEvents } from "../rooms/event-store.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";
import type { EventNames } from "./notification.ts";

/** What the room and the sender of each event are called, with one query for all. */
export async function readEventNames(
  edges: Pick<Edges, "db" | "keyring" | "memory">,
  events: readonly StoredEvent[],
): Promise<(event: StoredEvent) => EventNames> {
  const places = new Map<
    string,
    { roomNid: number; type: string; stateKey: string }
  >();
  for (const { roomNid, sender } of events) {
    for (const [type, stateKey] of [
      ["m.room.name", ""],
      ["m.room.canonical_alias", ""],
      ["m.room.member", sender],
    ] as const)
      places.set(placeOf(roomNid, type, stateKey), {
        roomNid,
        type,
        stateKey: escapeText(stateKey),
      });
  }
  const heads = await listCurrentStateAt(edges.db, [...places.values()]);
  const state = new Map(
    (await openEvents(edges, heads)).map((event) => [
      placeOf(event.roomNid, event.type, event.stateKey ?? ""),
      event.pdu.content,
    ]),
  );
  return ({ roomNid, sender }) => {
    const textAt = (type: string, stateKey: string, name: string) => {
      const value = state.get(placeOf(roomNid, type, stateKey))?.[name];
      return typeof value === "string" && value !== "" ? value : undefined;
    };
    const roomName = textAt("m.room.name", "", "name");
    const roomAlias = textAt("m.room.canonical_alias", "", "alias");
    const senderName = textAt("m.room.member", sender, "displayname");
    return {
      ...(roomName !== undefined && { roomName }),
      ...(roomAlias !== undefined && { roomAlias }),
      ...(senderName !== undefined && { senderName }),
    };
  };
}

const placeOf = (roomNid: number, type: string, stateKey: string): string =>
  `${roomNid} ${type} ${stateKey}`;
