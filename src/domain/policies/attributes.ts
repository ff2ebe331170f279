import { MatrixError } from "../../core/errors.ts";
import type { Attributes } from "../../core/policy/document.ts";

/** What is known of itself, and said by nobody. */
const OF_USERS: readonly string[] = ["id", "groups"];
const OF_ROOMS: readonly string[] = [
  ...["room_id", "spaces", "class", "encrypted"],
  ...["event_type", "membership", "permission"],
];

const MOST_BYTES = 8 * 1024;

export const parseAttributes = (json: string | null | undefined): Attributes =>
  json ? (JSON.parse(json) as Attributes) : {};

/** As they are stored. @throws MatrixError M_INVALID_PARAM, M_TOO_LARGE */
export function attributesText(
  of: "user" | "room",
  attributes: Attributes,
): string {
  const known = of === "user" ? OF_USERS : OF_ROOMS;
  const taken = Object.keys(attributes).find((name) => known.includes(name));
  if (taken !== undefined)
    throw new MatrixError(
      "M_INVALID_PARAM",
      `"${taken}" is known by itself and cannot be set.`,
    );
  const text = JSON.stringify(attributes);
  if (Buffer.byteLength(text) > MOST_BYTES)
    throw new MatrixError("M_TOO_LARGE", "These are more than 8 KiB.");
  return text;
}
