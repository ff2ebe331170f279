import type { Bench } from "../bench.ts";
import { mapInParallel } from "../load/in-parallel.ts";
import { readBack } from "./history.ts";
import { addVerdicts, judge, NOTHING, type Ledgers } from "./verdict.ts";

const AT_ONCE = 4;

/** Holds all rooms against what was acknowledged, as paging back and as sync show them. */
export async function checkLedger(bench: Bench): Promise<Ledgers> {
  const { ledger, owners } = bench;
  bench.say("checking the ledger");
  const roomIds = ledger.roomIds();
  const histories = await mapInParallel(roomIds, AT_ONCE, async (roomId) => {
    const owner = owners.get(roomId);
    if (owner === undefined) throw new Error(`nobody owns ${roomId}`);
    return judge(ledger.entriesOf(roomId), await readBack(owner, roomId));
  });
  const reader = await bench.reader();
  await reader.catchUp();
  const syncs = roomIds
    .filter((roomId) => owners.get(roomId) === reader.account)
    .map((roomId) => judge(ledger.entriesOf(roomId), reader.seenIn(roomId)));
  return {
    history: histories.reduce(addVerdicts, NOTHING),
    sync: syncs.reduce(addVerdicts, NOTHING),
  };
}
