import { MatrixError } from "../core/errors.ts";
import type { ParamParser } from "./endpoint.ts";

/**
 * A parser for a path parameter that is an identifier.
 * @param what as a sentence names it: "a user ID"
 */
export function idParam<Id extends string>(
  isId: (text: string) => text is Id,
  what: string,
): ParamParser<Id> {
  return (segment) => {
    if (isId(segment)) return segment;
    throw new MatrixError("M_INVALID_PARAM", `The path must name ${what}.`);
  };
}
