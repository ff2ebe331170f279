import type { Edges } from "../../../edges.ts";
import { listTimelineReceipts } from "../../../storage/sliding-rooms.ts";
import { listReceipts, type ReceiptRow } from "../../../storage/sync-extras.ts";
import { receiptContents } from "../ephemeral.ts";
import type { UserView } from "../user-view.ts";

/** A room whose receipts the answer tells. */
export interface ReceiptsRoom {
  roomNid: number;
  roomId: string;
  /** Receipts above this position are news; null: the client has none, and wants those of its timeline. */
  after: number | null;
  /** Where the timeline begins; null: there is none. */
  firstPosition: number | null;
  /** Receipts that were read already, those of private ones of others too. */
  known: readonly ReceiptRow[] | null;
}

/** The extension `receipts` as JSON text; of the ignored nothing is told. */
export async function extendReceipts(
  { db }: Pick<Edges, "db">,
  userId: string,
  rooms: readonly ReceiptsRoom[],
  { upTo, ignored }: Pick<UserView, "ignored" | "upTo">,
): Promise<{ text: string; isEmpty: boolean }> {
  const asked = rooms.filter(({ known }) => known === null);
  const [news, fresh] = await Promise.all([
    listReceipts(
      db,
      asked.flatMap(({ roomNid, after }) =>
        after === null ? [] : { roomNid, after },
      ),
      userId,
      upTo,
    ),
    listTimelineReceipts(
      db,
      userId,
      asked.flatMap(({ roomNid, after, firstPosition: first }) =>
        after === null ? { roomNid, first } : [],
      ),
      upTo,
    ),
  ]);
  const known = rooms
    .flatMap((room) => room.known ?? [])
    .filter(
      (row) =>
        row.receiptType === "m.read" ||
        (row.receiptType === "m.read.private" && row.userId === userId),
    );
  const contents = receiptContents(
    [...known, ...news, ...fresh].filter((row) => !ignored.has(row.userId)),
  );
  const idOf = new Map(rooms.map(({ roomNid, roomId }) => [roomNid, roomId]));
  const entries = [...contents].map(
    ([roomNid, content]) =>
      `${JSON.stringify(idOf.get(roomNid))}:${JSON.stringify({ type: "m.receipt", content })}`,
  );
  return {
    text: `{"rooms":{${entries.join(",")}}}`,
    isEmpty: entries.length === 0,
  };
}
