import type { Bench } from "../bench.ts";
import { mapInParallel } from "../load/in-parallel.ts";
import { measureCurve } from "../measure/curve.ts";
import { waitUntilQuiet } from "../measure/in-turns.ts";
import { crowdedRoom } from "./crowded-room.ts";
import { measureEmptySync } from "./incremental-sync.ts";
import { accountInRooms } from "./rooms-account.ts";
import { measureSendIn } from "./sends.ts";

const SCENARIO = "B16";

/** B16: what a larger room does to the cost of a send. */
export async function measureMemberGrowth(bench: Bench): Promise<void> {
  const { members } = bench.options;
  for (const size of members) await crowdedRoom(bench, size);
  await waitUntilQuiet([bench.target]);
  await measureCurve(bench, {
    scenario: SCENARIO,
    title: "send, members in the room",
    points: members.map((size) => ({
      size,
      measure: () => measureSendIn(bench, size),
    })),
  });
}

/** B16: what more rooms of an account do to the cost of a sync that has nothing to tell. */
export async function measureRoomGrowth(bench: Bench): Promise<void> {
  const { rooms } = bench.options;
  const accounts = await mapInParallel(rooms, 1, (count) =>
    accountInRooms(bench, count),
  );
  await waitUntilQuiet([bench.target]);
  await measureCurve(bench, {
    scenario: SCENARIO,
    title: "empty sync, rooms of the account",
    points: accounts.map((account, i) => ({
      size: rooms[i]!,
      measure: () => measureEmptySync(bench, account),
    })),
  });
}
