import type { Bench } from "../bench.ts";
import { measureAbuse } from "./abuse.ts";
import { measureGrowth } from "./growth.ts";
import { measureIncrementalSyncs } from "./incremental-sync.ts";
import { measureInitialSyncs } from "./initial-sync.ts";
import { measureLogins } from "./logins.ts";
import { measureReceipts } from "./receipts.ts";
import { measureSends } from "./sends.ts";
import { measureSlidingSyncs } from "./sliding-sync.ts";
import { measureStorage } from "./storage.ts";
import { measureWaiting } from "./waiting.ts";

/** By their numbers in the plan; an idle process is measured before it has worked. */
export const SCENARIOS: ReadonlyMap<string, (bench: Bench) => Promise<void>> =
  new Map([
    ["B13", measureWaiting],
    ["B1", measureSends],
    ["B2", measureReceipts],
    ["B3", measureInitialSyncs],
    ["B4", measureIncrementalSyncs],
    ["B5", measureSlidingSyncs],
    ["B6", measureLogins],
    ["B15", measureStorage],
    ["B16", measureGrowth],
    ["abuse", measureAbuse],
  ]);
