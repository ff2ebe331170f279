import type { Edges } from "../../edges.ts";

/** What writing to a room may touch. */
export type WriterEdges = Pick<
  Edges,
  | "actingDevice"
  | "committer"
  | "db"
  | "keyring"
  | "log"
  | "memory"
  | "nids"
  | "notifier"
  | "now"
  | "random"
  | "serverKey"
  | "settings"
  | "trail"
  | "policies"
  | "asker"
>;
