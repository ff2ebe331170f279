import type { SchemaObject } from "ajv";
import { arrayOf, COUNT, object, TEXT } from "../json-schema.ts";

/** What every list of the admin API takes. */
export interface PageQuery<Order extends string = string> {
  from?: number;
  limit?: number;
  dir?: "f" | "b";
  order_by?: Order;
}

export const pageProperties = {
  from: { type: "integer", minimum: 0, maximum: 1_000_000_000, default: 0 },
  limit: { type: "integer", minimum: 1, maximum: 500, default: 100 },
  dir: { type: "string", enum: ["f", "b"], default: "f" },
};

/**
 * The schema of what a list takes.
 * @param orders what it can be ordered by; by the first one unless told
 */
export const listQuery = (
  orders: readonly string[],
  filters: Readonly<Record<string, SchemaObject>> = {},
): SchemaObject => ({
  type: "object",
  properties: {
    ...pageProperties,
    order_by: { type: "string", enum: [...orders], default: orders[0] },
    ...filters,
  },
});

/** The schema of what a list answers: a page under its name, and what `pageAnswer` tells. */
export const listAnswer = (
  name: string,
  item: SchemaObject,
  more: Readonly<Record<string, SchemaObject>> = {},
): SchemaObject =>
  object(
    { [name]: arrayOf(item), total: COUNT },
    { next_token: TEXT, ...more },
  );

export const pageOf = ({ from = 0, limit = 100, dir = "f" }: PageQuery) => ({
  offset: from,
  limit,
  isDescending: dir === "b",
});

/** How many there are in all, and where the next page begins. */
export function pageAnswer(
  { from = 0 }: PageQuery,
  shown: number,
  total: number,
): { total: number; next_token?: string } {
  const next = from + shown;
  return {
    total,
    ...(shown > 0 && next < total && { next_token: String(next) }),
  };
}

/** A page of what is few, and at hand as a whole in its order. */
export function cutPage<Row>(query: PageQuery, rows: readonly Row[]): Row[] {
  const { offset, limit, isDescending } = pageOf(query);
  const ordered = isDescending ? rows.toReversed() : rows;
  return ordered.slice(offset, offset + limit);
}

/** What a log takes, which only grows and is read onward from a place. */
export interface OnwardQuery {
  from?: number;
  limit?: number;
}

export const onwardProperties = {
  from: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  limit: pageProperties.limit,
};

/** The schema of what a log answers; without `next_token` there is no more yet. */
export const onwardAnswer = (name: string, item: SchemaObject): SchemaObject =>
  object({ [name]: arrayOf(item) }, { next_token: TEXT });
