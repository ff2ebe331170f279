import { MatrixError } from "../../core/errors.ts";
import { isRoomAlias } from "../../core/ids.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";

/** All that stands where an alias should, of any type. */
function aliasesIn({ alias, alt_aliases: others }: JsonObject): JsonValue[] {
  const named = [alias, ...(Array.isArray(others) ? others : [])];
  return named.filter(
    (name) => name !== undefined && name !== null && name !== "",
  ) as JsonValue[];
}

/**
 * The aliases that a canonical alias event names and the one before it did not.
 * Throws `M_INVALID_PARAM` for what is no alias.
 * https://spec.matrix.org/v1.19/client-server-api/#mroomcanonical_alias
 */
export function addedAliases(
  content: JsonObject,
  before: JsonObject = {},
): string[] {
  const { alt_aliases: others = null } = content;
  if (others !== null && !Array.isArray(others)) {
    throw new MatrixError("M_INVALID_PARAM", '"alt_aliases" must be a list.');
  }
  const known = new Set(aliasesIn(before));
  return aliasesIn(content).flatMap((alias) => {
    if (known.has(alias)) return [];
    if (typeof alias === "string" && isRoomAlias(alias)) return [alias];
    throw new MatrixError(
      "M_INVALID_PARAM",
      "A room alias begins with # and names a server after a colon.",
    );
  });
}

/** Throws `M_BAD_ALIAS` where one of the aliases is not among those of the room. */
export function assertPointing(
  aliases: readonly string[],
  pointing: ReadonlySet<string>,
): void {
  const stray = aliases.find((alias) => !pointing.has(alias));
  if (stray === undefined) return;
  throw new MatrixError(
    "M_BAD_ALIAS",
    `The alias ${stray} does not point to this room.`,
  );
}
