export interface PagePlace {
  limit: number;
  offset: number;
}

/**
 * A page of rows of which each tells how many there are in all. Where there is none on the
 * page, the first one of all is asked.
 */
export async function countedPage<Row extends { total: number }>(
  { limit, offset }: PagePlace,
  select: (place: PagePlace) => Promise<readonly Row[]>,
): Promise<{ rows: Omit<Row, "total">[]; total: number }> {
  const found = await select({ limit, offset });
  const rows = found.map(({ total: _, ...row }) => row);
  if (found.length > 0) return { rows, total: found[0]!.total };
  if (offset === 0 && limit > 0) return { rows, total: 0 };
  const [first] = await select({ limit: 1, offset: 0 });
  return { rows, total: first?.total ?? 0 };
}
