import type { JsonObject, JsonValue } from "./json.ts";

/**
 * Room versions before 6 hold numbers that a double cannot write back as they
 * came (`1.0`, `1e3`, 2^63). The reader notes such tokens beside the object or
 * array that holds them; everyone else sees plain numbers.
 */
const receivedTokens = Symbol("received number tokens");

type Holder = JsonObject | JsonValue[];

interface Noted {
  [receivedTokens]?: Map<string, string>;
}

export function noteNumberToken(
  holder: Holder,
  key: string,
  token: string,
): void {
  const noted = holder as Noted;
  noted[receivedTokens] ??= new Map();
  noted[receivedTokens].set(key, token);
}

/** The token that was received for this very number, if it has to be kept. */
export function findNumberToken(
  holder: Holder,
  key: string | number,
  value: number,
): string | undefined {
  const token = (holder as Noted)[receivedTokens]?.get(String(key));
  // The member may have been replaced since.
  return token !== undefined && Object.is(Number(token), value)
    ? token
    : undefined;
}

/** For a copy of some members of `source`: its tokens hold for the copy, too. */
export function carryNumberTokens(source: JsonObject, copy: JsonObject): void {
  const tokens = (source as Noted)[receivedTokens];
  if (tokens !== undefined) (copy as Noted)[receivedTokens] = tokens;
}
