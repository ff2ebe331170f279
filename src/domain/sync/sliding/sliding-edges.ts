import type { Edges } from "../../../edges.ts";

export type SlidingEdges = Pick<
  Edges,
  | "db"
  | "keyring"
  | "memory"
  | "notifier"
  | "now"
  | "random"
  | "settings"
  | "policies"
  | "asker"
  | "decided"
>;
