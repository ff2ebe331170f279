import type { JsonObject } from "../../core/json.ts";
import type { Edges } from "../../edges.ts";
import type { ActingAdministrator } from "./administrator.ts";
import { resourceOf } from "./audit-record.ts";

/** Has the request's record say what an administrator reads of what others wrote. */
export function noteRead(
  { trail }: Pick<Edges, "trail">,
  { actor, grounds }: ActingAdministrator,
  target: string,
  details?: JsonObject,
): void {
  trail?.note({
    resource: resourceOf(actor.permission, target),
    ...(details && { after: details }),
    ...grounds,
  });
}
