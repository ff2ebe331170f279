/** What every list of the admin API takes. */
export interface PageQuery {
  from?: number;
  limit?: number;
  dir?: "f" | "b";
}

export const pageProperties = {
  from: { type: "integer", minimum: 0, maximum: 1_000_000_000 },
  limit: { type: "integer", minimum: 1, maximum: 500 },
  dir: { type: "string", enum: ["f", "b"] },
};

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
