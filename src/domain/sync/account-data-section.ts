import type { Edges } from "../../edges.ts";
import { accountDataContext } from "../accounts/account-data.ts";
import { PUSH_RULES, pushRulesText } from "../push/push-rules.ts";
import {
  type AccountDataRow,
  listChangedAccountData,
  listRoomAccountData,
} from "../../storage/sync-extras.ts";

type Needs = Pick<Edges, "db" | "keyring">;

/** Account data events for a sync: global ones under room 0. */
export async function readAccountData(
  { db, keyring }: Needs,
  userId: string,
  range: { after: number; upTo: number },
  newRooms: readonly number[],
): Promise<Map<number, string[]>> {
  const changed = await listChangedAccountData(
    db,
    userId,
    range.after,
    range.upTo,
  );
  const isNew = new Set(newRooms);
  const rows = [
    ...changed.filter(({ roomNid }) => !isNew.has(roomNid)),
    ...(await listRoomAccountData(db, userId, newRooms)),
  ];
  const kept = rows.filter(
    (row): row is AccountDataRow & { sealed: Uint8Array } =>
      row.sealed !== null,
  );
  const contents = await keyring.openAll(
    kept.map(({ roomNid, type, keyId, sealed }) => ({
      context: accountDataContext(userId, roomNid, type),
      keyId,
      sealed,
    })),
  );
  const byRoom = new Map<number, string[]>();
  const add = (roomNid: number, type: string, content: string): void => {
    const event = `{"type":${JSON.stringify(type)},"content":${content}}`;
    const list = byRoom.get(roomNid);
    if (list) list.push(event);
    else byRoom.set(roomNid, [event]);
  };
  kept.forEach(({ roomNid, type }, i) => {
    const content = contents[i];
    if (content === undefined) return;
    const text =
      roomNid === 0 && type === PUSH_RULES
        ? pushRulesText(userId, content)
        : content;
    add(roomNid, type, text);
  });
  const isWhole = range.after === 0;
  if (isWhole && !kept.some(({ type }) => type === PUSH_RULES)) {
    add(0, PUSH_RULES, pushRulesText(userId));
  }
  return byRoom;
}
