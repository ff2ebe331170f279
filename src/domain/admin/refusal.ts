import { MatrixError } from "../../core/errors.ts";
import { refusedBy } from "../policies/enforce.ts";
import type { RefusedBy } from "./permission.ts";

/** What is told to who may not: the permission that is missing. */
export const notAllowed = (
  permission: string | undefined,
  message = "You are not allowed to do this.",
): MatrixError =>
  new MatrixError("M_FORBIDDEN", message, {
    "org.myelin.permission": permission,
  });

/** The same where no permission need be missing. */
export function refusalOf(permission: string, refused: RefusedBy): MatrixError {
  switch (refused.by) {
    case "role":
      return notAllowed(permission);
    case "policy":
      return refusedBy(refused.decision);
    case "target":
      return new MatrixError(
        "M_FORBIDDEN",
        "This account has powers that you do not have.",
        { "org.myelin.reason": "target" },
      );
  }
}
