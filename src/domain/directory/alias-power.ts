import type { Edges } from "../../edges.ts";
import type { RoomEvent } from "../../core/event.ts";
import { requiredPowerLevel, userPowerLevel } from "../../core/power-levels.ts";
import { loadRoomHead, readState, stateAt } from "../rooms/room-head.ts";

/** What a user may do with a room's aliases. */
export interface AliasPower {
  isJoined: boolean;
  /** A member who may send the room's canonical alias. */
  mayChange: boolean;
  /** The canonical alias event that stands. */
  canonical: RoomEvent | undefined;
}

export async function readAliasPower(
  edges: Pick<Edges, "db" | "keyring" | "memory" | "notifier">,
  roomNid: number,
  userId: string,
): Promise<AliasPower> {
  const head = await loadRoomHead(edges, roomNid);
  await readState(edges, head, [
    ["m.room.create", ""],
    ["m.room.power_levels", ""],
    ["m.room.canonical_alias", ""],
    ["m.room.member", userId],
  ]);
  const { rules } = head.room;
  const create = stateAt(head, "m.room.create", "");
  const levels = stateAt(head, "m.room.power_levels", "");
  const member = stateAt(head, "m.room.member", userId);
  const isJoined = member?.pdu.content["membership"] === "join";
  const required = requiredPowerLevel(rules, levels, {
    type: "m.room.canonical_alias",
    isState: true,
  });
  const power = userPowerLevel(rules, create, levels, userId);
  return {
    isJoined,
    mayChange: isJoined && power >= required,
    canonical: stateAt(head, "m.room.canonical_alias", ""),
  };
}
