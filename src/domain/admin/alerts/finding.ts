import type { Detector } from "../../../core/detectors.ts";
import type { JsonObject } from "../../../core/json.ts";

export type Severity = "low" | "medium" | "high";

/** What a detector has found: the same one, however often it is found. */
export interface Finding {
  detector: Detector;
  severity: Severity;
  /** A user id, or what stands for a network. */
  subject: string;
  /** Where the time begins that it is of, or the number of what it is about. */
  span: number;
  userId: string | null;
  recordSeq: number | null;
  facts: JsonObject;
}
