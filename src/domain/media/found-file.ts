import type { Edges } from "../../edges.ts";
import type { MediumRow } from "../../storage/media.ts";
import type { FileSecret } from "./file-secret.ts";

export type FileNeeds = Pick<
  Edges,
  | "db"
  | "egress"
  | "keyring"
  | "log"
  | "mediaStore"
  | "memory"
  | "notifier"
  | "now"
  | "settings"
  | "policies"
  | "asker"
>;

/** A file that is there and may be delivered. */
export interface FoundFile {
  row: MediumRow;
  blobId: string;
  size: number;
  secret: FileSecret["secret"];
  name: string | null;
}
