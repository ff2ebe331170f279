import { clock } from "./clock.ts";
import { cuts } from "./cuts.ts";
import { exhausted } from "./exhausted.ts";
import { kills } from "./kills.ts";
import type { ProofCase } from "./proof.ts";
import { stopped } from "./stopped.ts";
import { stream } from "./stream.ts";

export const cases: readonly ProofCase[] = [
  kills,
  cuts,
  stopped,
  exhausted,
  clock,
  stream,
];
