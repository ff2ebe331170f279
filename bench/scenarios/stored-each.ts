import type { StoredBytes } from "../measure/database-size.ts";
import type { Values } from "../report/measurement.ts";

const LARGEST = 5;

/** What each of so many operations has left on disk, and in which tables. */
export function storedEach(
  before: StoredBytes | undefined,
  after: StoredBytes | undefined,
  operations: number,
): { values: Values; note?: string } {
  if (before === undefined || after === undefined)
    return {
      values: {},
      note: "not measured: needs --database or --data-folder",
    };
  const each = (bytes: number) => bytes / operations;
  const tables = [...after.tables]
    .map(([name, bytes]) => ({
      name,
      bytes: each(bytes - (before.tables.get(name) ?? 0)),
    }))
    .filter(({ bytes }) => bytes >= 1)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, LARGEST)
    .map(({ name, bytes }) => `${name} ${bytes.toFixed(0)}`);
  const wal = (after.walPosition ?? NaN) - (before.walPosition ?? NaN);
  return {
    values: {
      operations,
      bytesEach: each(after.total - before.total),
      ...(Number.isFinite(wal) && { walBytesEach: each(wal) }),
    },
    ...(tables.length > 0 && { note: tables.join(", ") }),
  };
}
