import type { Edges } from "../../edges.ts";
import { accountDataContext } from "../accounts/account-data.ts";
import { PUSH_RULES, pushRulesText } from "../push/push-rules.ts";
import {
  listChangedAccountData,
  listRoomAccountData,
} from "../../storage/sync-extras.ts";

type Needs = Pick<Edges, "db" | "keyring">;

/** What is shown of an entry that was deleted, to who may have known it (MSC3391). */
const DELETED = "{}";

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
  const isWhole = range.after === 0;
  const ofNewRooms = await listRoomAccountData(db, userId, newRooms);
  const rows = [
    ...changed
      .filter(({ roomNid }) => !isNew.has(roomNid))
      .map((row) => ({ ...row, isShownDeleted: !isWhole })),
    ...ofNewRooms.map((row) => ({ ...row, isShownDeleted: false })),
  ].filter(({ sealed, isShownDeleted }) => sealed !== null || isShownDeleted);
  const contents = await keyring.openAll(
    rows.flatMap(({ roomNid, type, keyId, sealed }) =>
      sealed === null
        ? []
        : {
            context: accountDataContext(userId, roomNid, type),
            keyId,
            sealed,
          },
    ),
  );
  const byRoom = new Map<number, string[]>();
  const add = (roomNid: number, type: string, content: string): void => {
    const event = `{"type":${JSON.stringify(type)},"content":${content}}`;
    const list = byRoom.get(roomNid);
    if (list) list.push(event);
    else byRoom.set(roomNid, [event]);
  };
  let opened = 0;
  for (const { roomNid, type, sealed } of rows) {
    const content = sealed === null ? DELETED : contents[opened++];
    if (content === undefined) continue;
    const text =
      roomNid === 0 && type === PUSH_RULES
        ? pushRulesText(userId, content)
        : content;
    add(roomNid, type, text);
  }
  if (isWhole && !rows.some(({ type }) => type === PUSH_RULES)) {
    add(0, PUSH_RULES, pushRulesText(userId));
  }
  return byRoom;
}
