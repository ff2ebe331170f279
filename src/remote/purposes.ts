import type { EgressPurpose } from "./egress.ts";

interface PurposeRules {
  /** Whether http is called too, or only of what `egress.allow` names. */
  plainHttp: "always" | "trusted";
  timeoutMs: number;
  maxBytes: number;
}

const KIB = 1024;

export const purposes: Readonly<Record<EgressPurpose, PurposeRules>> = {
  preview: { plainHttp: "always", timeoutMs: 10_000, maxBytes: 1024 * KIB },
  push: { plainHttp: "trusted", timeoutMs: 30_000, maxBytes: 64 * KIB },
  audit: { plainHttp: "trusted", timeoutMs: 15_000, maxBytes: 64 * KIB },
  scan: { plainHttp: "trusted", timeoutMs: 300_000, maxBytes: 64 * KIB },
};
