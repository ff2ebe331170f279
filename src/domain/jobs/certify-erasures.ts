import type { Edges } from "../../edges.ts";
import { signUnreadable } from "../privacy/certificates.ts";
import type { Job } from "./job.ts";

/** Completes certificates of erasures once no copy of a key is left that opened anything. */
export const certifyErasures: Job<Pick<Edges, "auditKey" | "db" | "now">> = {
  name: "certify erasures",
  restMs: 60 * 60 * 1000,
  step: signUnreadable,
};
