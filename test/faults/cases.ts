import { kills } from "./kills.ts";
import type { ProofCase } from "./proof.ts";

export const cases: readonly ProofCase[] = [kills];
