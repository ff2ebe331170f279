import type { Server } from "./server.ts";

export type RowTest = (server: Server) => Promise<void>;

export interface RowName {
  group: string;
  test: string;
  /** Empty for the row of the test itself. */
  case: string;
}

export interface RowOptions {
  /** Milliseconds until the row counts as failed; 30 000 unless said. */
  timeout?: number;
  /** Run with nothing beside it, after all the others. */
  alone?: boolean;
  /** Wants the server to be started anew; left out where that cannot be done. */
  restarts?: boolean;
}

export interface Row extends RowName {
  run: RowTest;
  options: RowOptions;
}

const registered = new Map<string, Row>();

export const keyOf = (row: RowName): string =>
  [row.group, row.test, row.case].join("\t");

/** Registers the test of one row of behaviours.tsv. */
export function row(
  group: string,
  test: string,
  name: string,
  run: RowTest,
  options: RowOptions = {},
): void {
  const added = { group, test, case: name, run, options };
  const key = keyOf(added);
  if (registered.has(key)) throw new TypeError(`two tests of the row ${key}`);
  registered.set(key, added);
}

export const listRows = (): Row[] => [...registered.values()];

/** A fixture that rows share: made once per server, by the first row that asks for it. */
export function shared<T>(
  make: (server: Server) => Promise<T>,
): (server: Server) => Promise<T> {
  const made = new WeakMap<Server, Promise<T>>();
  return (server) => {
    const promise = made.get(server) ?? make(server);
    made.set(server, promise);
    return promise;
  };
}
