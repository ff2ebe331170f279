import type { StoredBytes } from "../measure/database-size.ts";
import { isDatabase, readCpuSeconds, readTree } from "../measure/proc.ts";
import type { ImportAccounts } from "../matrix/accounts.ts";
import type { Registration } from "../matrix/register.ts";
import type { ActServer } from "./acts.ts";
import type { ServerProcess } from "./server-process.ts";

/** What is measured: a homeserver, and what is known of its processes and data. */
export interface Target {
  /** Base URLs; those after the first are further processes of the same server. */
  readonly urls: readonly string[];
  readonly registration: Registration;
  /** A faster way to many accounts, where the target has one. */
  readonly importAccounts?: ImportAccounts;
  /** One more process of the server, which has served nobody yet; where we can start one. */
  startAnother?(): Promise<ServerProcess>;
  /** A process like the server's, on a port of its own, with records of what administrators do or without any. */
  startActs?(records: "on" | "off"): Promise<ActServer>;
  /** What tells this run from another in a report. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** PostgreSQL's, where it has one that can be asked. */
  readonly databaseUrl: string | undefined;
  /** Of the server and its database; undefined where the processes are not known. */
  cpuSeconds(): number | undefined;
  /** The server's processes without its database's. */
  serverPids(): readonly number[];
  databasePids(): readonly number[];
  storedBytes(): Promise<StoredBytes | undefined>;
  /** Has the server's processes collect their garbage, where they can be told to. */
  collect(): Promise<void>;
  /** Of the first process, since it was asked last; undefined where it is not told. */
  longestLoopDelayMs(): Promise<number | undefined>;
  stop(): Promise<void>;
}

/** What a target tells of its processes, from the roots of their trees. */
export const processesOf = (
  roots: () => readonly number[],
): Pick<Target, "cpuSeconds" | "serverPids" | "databasePids"> => ({
  cpuSeconds: () =>
    roots().length === 0 ? undefined : readCpuSeconds(roots()),
  serverPids: () =>
    readTree(roots())
      .filter((process) => !isDatabase(process))
      .map(({ pid }) => pid),
  databasePids: () =>
    readTree(roots())
      .filter(isDatabase)
      .map(({ pid }) => pid),
});
