import type { JsonObject } from "../../core/json.ts";
import type { Edges } from "../../edges.ts";
import type { CommitResult, WriteRows } from "../../storage/write.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";

export type CommitPart = (
  rows: Partial<WriteRows>,
  details: JsonObject,
) => Promise<CommitResult>;

/** The first part that commits carries the request's record, each further one a record of its own. */
export function committerOfParts(
  { committer, trail, now }: Pick<Edges, "committer" | "now" | "trail">,
  by: ActingAdministrator,
  target: string,
): CommitPart {
  let isFirst = true;
  return async (rows, details) => {
    const door = isFirst ? committer : (trail?.committer ?? committer);
    const audit = [recordOf(by, target, now(), details)];
    const outcome = await door.commit({ positions: 1, rows, audit });
    if (outcome.status === "committed") isFirst = false;
    return outcome;
  };
}
