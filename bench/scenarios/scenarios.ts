import type { Bench } from "../bench.ts";
import { measureAbuse } from "./abuse.ts";
import { measureActs } from "./acts.ts";
import { measureColdSlidingSyncs } from "./cold-sliding-sync.ts";
import { measureMemberGrowth, measureRoomGrowth } from "./growth.ts";
import { measureHistoryGrowth } from "./history.ts";
import { measureIncrementalSyncs } from "./incremental-sync.ts";
import { measureInitialSyncs } from "./initial-sync.ts";
import { measureJoins } from "./joins.ts";
import { measureKeywords } from "./keywords.ts";
import { measureLogins } from "./logins.ts";
import { measureFiles, measureThumbnails } from "./media.ts";
import { measureReceipts } from "./receipts.ts";
import { measureSends } from "./sends.ts";
import { measureSlidingSyncs } from "./sliding-sync.ts";
import { measureSnapshot } from "./snapshot.ts";
import { measureStorage } from "./storage.ts";
import { measureWaiting } from "./waiting.ts";

/** By their numbers in the plan, where several share one with a word; an idle process is measured before it has worked. */
export const SCENARIOS: ReadonlyMap<string, (bench: Bench) => Promise<void>> =
  new Map([
    ["B13", measureWaiting],
    ["B1-sends", measureSends],
    ["B1-snapshot", measureSnapshot],
    ["B2", measureReceipts],
    ["B3", measureInitialSyncs],
    ["B4", measureIncrementalSyncs],
    ["B5-warm", measureSlidingSyncs],
    ["B5-cold", measureColdSlidingSyncs],
    ["B6", measureLogins],
    ["B11-files", measureFiles],
    ["B11-thumbnails", measureThumbnails],
    ["B15-messages", measureStorage],
    ["B15-joins", measureJoins],
    ["B16-members", measureMemberGrowth],
    ["B16-rooms", measureRoomGrowth],
    ["B16-history", measureHistoryGrowth],
    ["abuse", measureAbuse],
    ["acts", measureActs],
    ["keywords", measureKeywords],
  ]);
