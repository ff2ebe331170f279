import { isUserId } from "../../../core/ids.ts";
import { idParam } from "../../params.ts";

/** https://element-hq.github.io/synapse/latest/usage/administration/admin_api/ */
export const V1 = "/_synapse/admin/v1";
export const V2 = "/_synapse/admin/v2";
export const V3 = "/_synapse/admin/v3";
export const NATIVE = "/_myelin/admin/v1";

export const userId = idParam(isUserId, "a user ID");

/** Of an act that has no other answer. */
export const DONE = {};

/** Tools send a filter that nobody filled in as an empty text: it is none. */
export const FLAG = { type: "string", enum: ["", "true", "false"] };
export type Flag = "" | "true" | "false";

export const flagOf = (flag: Flag | undefined): boolean | null =>
  flag === undefined || flag === "" ? null : flag === "true";

export const textOf = (text: string | undefined): string | null =>
  text === undefined || text === "" ? null : text;

/** As every list is paged; more than a thousand are not shown at once. */
export interface PageQuery {
  from?: number;
  limit?: number;
  dir?: "f" | "b";
}

const MOST = 1000;

export const pageProperties = {
  from: { type: "integer", minimum: 0, maximum: 1_000_000_000 },
  limit: { type: "integer", minimum: 0, maximum: 1_000_000_000 },
  dir: { type: "string", enum: ["f", "b"] },
};

export const pageOf = ({ from = 0, limit = 100, dir = "f" }: PageQuery) => ({
  offset: from,
  limit: Math.min(limit, MOST),
  isDescending: dir === "b",
});

/** Where the next page begins, if there is one. */
export function nextOf(
  { from = 0 }: PageQuery,
  shown: number,
  total: number,
): number | undefined {
  const next = from + shown;
  return shown > 0 && next < total ? next : undefined;
}
