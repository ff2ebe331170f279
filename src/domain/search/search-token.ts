import { MatrixError } from "../../core/errors.ts";

export type GroupKey = "room_id" | "sender";

/** Where the next page of results begins; it says nothing that its reader may not know. */
export interface SearchToken {
  /** Of results by time: only what came up to here. */
  upTo: number;
  /** Of results by rank: how many were shown. */
  offset: number;
  /** As the first page told it. */
  count: number;
  /** The page is of this group alone. */
  group?: { by: GroupKey; value: string };
}

const FORM = /^s1_(\d{1,16})_(\d{1,9})_(\d{1,9})(?:_([rs])([\w-]{1,700}))?$/;

export function formatSearchToken(token: SearchToken): string {
  const { upTo, offset, count, group } = token;
  const place = `s1_${upTo}_${offset}_${count}`;
  if (!group) return place;
  const value = Buffer.from(group.value).toString("base64url");
  return `${place}_${group.by === "room_id" ? "r" : "s"}${value}`;
}

/** Throws `M_INVALID_PARAM` for text that this server never gave out. */
export function parseSearchToken(text: string): SearchToken {
  const match = FORM.exec(text);
  if (!match) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      '"next_batch" is not a token of this server.',
    );
  }
  const [, upTo, offset, count, by, value] = match;
  const place = {
    upTo: Number(upTo),
    offset: Number(offset),
    count: Number(count),
  };
  if (by === undefined || value === undefined) return place;
  return {
    ...place,
    group: {
      by: by === "r" ? "room_id" : "sender",
      value: Buffer.from(value, "base64url").toString(),
    },
  };
}
