/** PostgreSQL's text of a one-dimensional array: `{a,"b\"c",NULL}`. */
export function parseArray<T>(
  text: string,
  parse: (item: string) => T,
): (T | null)[] {
  const items: (T | null)[] = [];
  const token = /"((?:[^"\\]|\\.)*)"|([^,{}"]+)/gs;
  for (const [, quoted, plain] of text.matchAll(token)) {
    if (quoted !== undefined)
      items.push(parse(quoted.replace(/\\(.)/gs, "$1")));
    else items.push(plain === "NULL" ? null : parse(plain!));
  }
  return items;
}

export function formatArray<T>(
  items: readonly (T | null)[],
  format: (item: T) => string,
): string {
  const texts = items.map((item) =>
    item === null ? "NULL" : `"${format(item).replace(/["\\]/g, "\\$&")}"`,
  );
  return `{${texts.join(",")}}`;
}

interface ColumnType {
  to: number;
  from: number[];
  serialize(value: unknown): string;
  parse(text: string): unknown;
}

const text = (value: unknown) => String(value);
const isTrue = (value: string) => value === "t";
const hex = (value: unknown) =>
  `\\x${Buffer.from(value as Uint8Array).toString("hex")}`;
const bytes = (value: string) => Buffer.from(value.slice(2), "hex");

/** Arrays by their types' numbers in PostgreSQL, with how an item is written and read. */
const ITEMS: [number, (item: unknown) => string, (item: string) => unknown][] =
  [
    [1000, (item) => (item === true ? "t" : "f"), isTrue],
    [1001, hex, bytes],
    [1003, text, text],
    [1005, text, Number],
    [1007, text, Number],
    [1009, text, text],
    [1015, text, text],
    [1016, text, Number],
    [1022, text, Number],
    [2951, text, text],
  ];

/**
 * Types of arrays for postgres.js. Its own way asks the server for them on
 * each new connection, and its promise for the answer has nobody to catch it:
 * a connection that broke right then would end the process.
 */
export const arrayTypes: Record<string, ColumnType> = Object.fromEntries(
  ITEMS.map(([oid, format, parse]) => [
    `array${oid}`,
    {
      to: oid,
      from: [oid],
      serialize: (value) =>
        Array.isArray(value) ? formatArray(value, format) : String(value),
      parse: (value) => parseArray(value, parse),
    },
  ]),
);
