import type { RoomEvent } from "../../../../src/core/event.ts";
import type { JsonObject, JsonValue } from "../../../../src/core/json.ts";

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Until version 10 "optionally prefixed" and surrounded by whitespace, a string is an integer too. */
export function integerOf(
  version: number,
  value: JsonValue | undefined,
): number | undefined {
  if (Number.isInteger(value)) return value as number;
  return version < 10 &&
    typeof value === "string" &&
    /^ *[+-]?\d+ *$/.test(value)
    ? parseInt(value.trim(), 10)
    : undefined;
}

export function creatorsOf(version: number, create: RoomEvent): JsonValue[] {
  const { sender, content } = create.pdu;
  if (version < 11) return [content["creator"] ?? null];
  const additional = version < 12 ? [] : content["additional_creators"];
  return [sender, ...(Array.isArray(additional) ? additional : [])];
}

export function powerOf(
  version: number,
  create: RoomEvent | undefined,
  powerLevels: RoomEvent | undefined,
  user: string,
): number {
  const isCreator = create && creatorsOf(version, create).includes(user);
  if (isCreator && version >= 12) return Infinity;
  if (!powerLevels) return isCreator ? 100 : 0;
  const { users, users_default: byDefault } = powerLevels.pdu.content;
  const own = isObject(users) ? integerOf(version, users[user]) : undefined;
  return own ?? integerOf(version, byDefault) ?? 0;
}
