import type { Edges } from "../../edges.ts";
import type { Attribute, Attributes } from "../../core/policy/document.ts";
import { listCurrentStateOfRooms } from "../../storage/events.ts";
import { listRoomFacts } from "../../storage/policy-facts.ts";
import { readSpaces } from "../admin/space-scope.ts";
import { openEvents } from "../rooms/event-store.ts";
import { parseAttributes } from "./attributes.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

const STATE = ["m.room.create", "m.room.encryption", "m.room.join_rules"];

/**
 * What policies may ask of rooms, with as many queries for any number of them.
 * @param wanted attributes; what is not among them is not read
 */
export async function readRoomFacts(
  edges: Needs,
  roomNids: readonly number[],
  wanted: ReadonlySet<string>,
): Promise<Map<number, Attributes>> {
  if (roomNids.length === 0) return new Map();
  const isOfState = wanted.has("class") || wanted.has("encrypted");
  const [rows, heads] = await Promise.all([
    listRoomFacts(edges.db, roomNids),
    isOfState ? listCurrentStateOfRooms(edges.db, roomNids, STATE) : [],
  ]);
  const events = await openEvents(edges, heads);
  // That it is encrypted does not depend on what can still be opened.
  const encrypted = new Set(
    heads.flatMap(({ type, roomNid }) =>
      type === "m.room.encryption" ? roomNid : [],
    ),
  );
  const spaces = wanted.has("spaces")
    ? await readSpaces(
        edges,
        rows.map(({ roomId }) => roomId),
      )
    : undefined;
  const state = new Map<number, Map<string, Record<string, unknown>>>();
  for (const { roomNid, type, pdu } of events) {
    const known = state.get(roomNid) ?? new Map();
    state.set(roomNid, known.set(type, pdu.content));
  }
  return new Map(
    rows.map(({ roomNid, roomId, attributes }) => {
      const facts: Record<string, Attribute> = {
        ...parseAttributes(attributes),
        room_id: roomId,
      };
      if (isOfState) {
        facts["class"] = classOf(state.get(roomNid));
        facts["encrypted"] = encrypted.has(roomNid);
      }
      if (spaces) facts["spaces"] = [...(spaces.get(roomId) ?? [])];
      return [roomNid, facts];
    }),
  );
}

function classOf(
  state: ReadonlyMap<string, Record<string, unknown>> | undefined,
): string {
  if (state?.get("m.room.create")?.["type"] === "m.space") return "space";
  const rule = state?.get("m.room.join_rules")?.["join_rule"];
  return rule === "public" ? "public" : "private";
}
