import { MatrixError } from "../../core/errors.ts";
import { isCompliantUserId } from "../../core/ids.ts";
import { isName } from "../../domain/admin/names.ts";
import type { ParamParser } from "../endpoint.ts";

/** How roles and groups are named. */
export const NAME = { type: "string", pattern: "^[a-z][a-z0-9-]{0,62}$" };

export const nameParam: ParamParser<string> = (segment) => {
  if (isName(segment)) return segment;
  throw new MatrixError(
    "M_INVALID_PARAM",
    "The path must name one by lower-case letters, digits and hyphens.",
  );
};

/** A number that this server gave out. */
export const numberParam: ParamParser<number> = (segment) => {
  if (/^[1-9][0-9]{0,14}$/.test(segment)) return Number(segment);
  throw new MatrixError("M_INVALID_PARAM", "The path must name a number.");
};

/** A user, of whichever server. */
export const userParam: ParamParser<string> = (segment) => {
  if (isCompliantUserId(segment)) return segment;
  throw new MatrixError("M_INVALID_PARAM", "The path must name a user ID.");
};
