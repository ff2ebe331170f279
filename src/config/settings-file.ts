import type { Fault } from "./fault.ts";

/** What a settings file holds: anything, until it is checked. */
export interface SettingsFile {
  readonly settings: unknown;
  /** Why it is no YAML. */
  readonly faults: readonly Fault[];
}
