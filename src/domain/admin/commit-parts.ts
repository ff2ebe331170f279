import type { JsonObject } from "../../core/json.ts";
import type { Edges } from "../../edges.ts";
import type { CommitResult, WriteRows } from "../../storage/write.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";

export type CommitPart = (
  rows: Partial<WriteRows>,
  details: JsonObject,
) => Promise<CommitResult>;

/** Each part has a record of what it did; the first one that commits has the request's. */
export function committerOfParts(
  { committer, now }: Pick<Edges, "committer" | "now">,
  by: ActingAdministrator,
  target: string,
): CommitPart {
  return (rows, details) => {
    const audit = [recordOf(by, target, now(), details)];
    return committer.commit({ positions: 1, rows, audit });
  };
}
