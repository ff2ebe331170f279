import type { Edges } from "../../edges.ts";
import {
  listReceipts,
  listTyping,
  type ReceiptRow,
} from "../../storage/sync-extras.ts";
import type { RoomPlan } from "./room-plan.ts";
import { typingEvent } from "./typists.ts";

type Needs = Pick<Edges, "db" | "now">;

/** `m.receipt` and `m.typing` of each room, as events for its `ephemeral` section; of the ignored nothing is told. */
export async function readEphemeral(
  { db, now }: Needs,
  userId: string,
  plans: readonly RoomPlan[],
  typingRooms: readonly number[],
  upTo: number,
  ignored: ReadonlySet<string> = NOBODY,
): Promise<Map<number, object[]>> {
  const byRoom = new Map<number, object[]>();
  const add = (roomNid: number, event: object) => {
    const list = byRoom.get(roomNid);
    if (list) list.push(event);
    else byRoom.set(roomNid, [event]);
  };
  const joined = plans.filter(({ section }) => section === "join");
  const receipts = await listReceipts(
    db,
    joined.map(({ roomNid, isNew, after }) => ({
      roomNid,
      after: isNew ? 0 : after,
    })),
    userId,
    upTo,
  );
  const heard = receipts.filter((receipt) => !ignored.has(receipt.userId));
  for (const [roomNid, content] of receiptContents(heard))
    add(roomNid, { type: "m.receipt", content });

  const typists = new Map<number, string[]>(
    typingRooms.map((roomNid) => [roomNid, []]),
  );
  for (const row of await listTyping(db, typingRooms, now())) {
    if (!ignored.has(row.userId)) typists.get(row.roomNid)?.push(row.userId);
  }
  const isNew = new Set(
    joined.flatMap((room) => (room.isNew ? room.roomNid : [])),
  );
  for (const [roomNid, userIds] of typists) {
    // Of a room that is new to the client it thinks that nobody types.
    if (userIds.length > 0 || !isNew.has(roomNid))
      add(roomNid, typingEvent(userIds));
  }
  return byRoom;
}

const NOBODY: ReadonlySet<string> = new Set();

interface Receipt {
  ts: number;
  thread_id?: string;
}

type ReceiptContent = Record<string, Record<string, Record<string, Receipt>>>;

/** https://spec.matrix.org/v1.19/client-server-api/#mreceipt */
export function receiptContents(
  rows: readonly ReceiptRow[],
): Map<number, ReceiptContent> {
  const byRoom = new Map<number, ReceiptContent>();
  for (const {
    roomNid,
    userId,
    receiptType,
    thread,
    eventId,
    receiptTs,
  } of rows) {
    let content = byRoom.get(roomNid);
    if (!content) {
      byRoom.set(roomNid, (content = Object.create(null) as ReceiptContent));
    }
    const ofEvent = (content[eventId] ??= {});
    const ofType = (ofEvent[receiptType] ??= {});
    // There is place for one: that of the whole room (MSC4102), else the latest.
    const known = Object.hasOwn(ofType, userId) ? ofType[userId] : undefined;
    if (known && thread !== "") {
      if (known.thread_id === undefined || known.ts > receiptTs) continue;
    }
    ofType[userId] = {
      ts: receiptTs,
      ...(thread === "" ? {} : { thread_id: thread }),
    };
  }
  return byRoom;
}

/** Whether one of the events tells of a receipt of the user. */
export const hasReceiptOf = (
  userId: string,
  events: readonly object[],
): boolean =>
  events.some((event) => {
    const { type, content } = event as { type: string; content: object };
    if (type !== "m.receipt") return false;
    return Object.values(content as ReceiptContent).some((ofEvent) =>
      Object.values(ofEvent).some((ofType) => Object.hasOwn(ofType, userId)),
    );
  });
