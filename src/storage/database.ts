import postgres from "postgres";
import { arrayTypes } from "./array-text.ts";
import { withDeadline } from "./query-deadline.ts";
import { UnfitDatabaseError } from "./unfit-database.ts";

/** Columns come back in camelCase; what stands inside JSON values stays as it is. */
export type Sql = postgres.Sql;

/** What a transaction's function gets: as `Sql`, but it cannot begin another. */
export type TransactionSql = postgres.TransactionSql;

export interface DatabaseOptions {
  poolSize: number;
  log: { debug(details: object, message: string): void };
  /** Settings of each connection that differ from the common ones. */
  settings?: Readonly<Record<string, string>>;
}

/** No session of ours waits, works or idles in a transaction for longer than this. */
const LONGEST_MS = 5000;

/** Nor does anybody wait longer for an answer, with the wait for a connection. */
const LONGEST_WAIT_MS = 4800;

const origins = new WeakMap<Sql, { url: string; options: DatabaseOptions }>();

/** Opens a pool. Connections are made when needed, and again when they broke. */
export function openDatabase(url: string, options: DatabaseOptions): Sql {
  const sql = postgres(url, {
    max: options.poolSize,
    connect_timeout: 4,
    backoff: (retries: number) => Math.min(0.01 * 2 ** retries, 0.2),
    connection: {
      application_name: "myelin",
      lock_timeout: LONGEST_MS,
      statement_timeout: LONGEST_MS,
      idle_in_transaction_session_timeout: LONGEST_MS,
      // Compiling takes longer than any query of ours runs.
      jit: "off",
      // Arrays of thousands of rooms mislead plans made for one call: unread counts of
      // 2,500 rooms took 900 ms by them, 80 ms by the plan for all calls.
      plan_cache_mode: "force_generic_plan",
      // A plan made while a table was small must be right when it has grown.
      enable_seqscan: "off",
      ...options.settings,
    },
    fetch_types: false,
    // Every bigint of ours is below 2^53.
    types: {
      ...arrayTypes,
      bigint: {
        to: 20,
        from: [20],
        parse: Number,
        serialize: (value: number) => String(value),
      },
    },
    // Not postgres.camel: that would rename keys inside of JSON values too.
    transform: { column: { from: postgres.toCamel } },
    onnotice: (notice) => {
      options.log.debug({ code: notice["code"] }, notice["message"] ?? "");
    },
  });
  const opened: Sql = withDeadline(sql as unknown as Sql, LONGEST_WAIT_MS);
  origins.set(opened, { url, options });
  return opened;
}

/** Another pool to the database of `sql`, which must come from `openDatabase`. */
export function openSameDatabase(
  sql: Sql,
  changes: Partial<DatabaseOptions>,
): Sql {
  const origin = origins.get(sql);
  if (!origin) throw new TypeError("This pool was not opened here.");
  return openDatabase(origin.url, { ...origin.options, ...changes });
}

interface ServerSettings {
  version: number;
  encoding: string;
  fsync: string;
  fullPageWrites: string;
  synchronousCommit: string;
}

/** Throws, with every fault at once, where an answer 200 could not be kept. */
export async function assertSafeDatabase(sql: Sql): Promise<void> {
  const [settings] = await sql<ServerSettings[]>`
    select current_setting('server_version_num')::int as version,
      current_setting('server_encoding') as encoding,
      current_setting('fsync') as fsync,
      current_setting('full_page_writes') as full_page_writes,
      current_setting('synchronous_commit') as synchronous_commit`;
  const faults = listFaults(settings!);
  if (faults.length > 0) {
    throw new UnfitDatabaseError(
      `The database cannot be used: ${faults.join(" ")}`,
    );
  }
}

/** What is wrong with a server for us, in sentences. */
export function listFaults(settings: ServerSettings): string[] {
  const faults: string[] = [];
  if (settings.version < 150000)
    faults.push("PostgreSQL must be version 15 or newer.");
  if (settings.encoding !== "UTF8")
    faults.push(`Its encoding must be UTF8, not ${settings.encoding}.`);
  if (settings.fsync !== "on") faults.push("fsync must be on.");
  if (settings.fullPageWrites !== "on")
    faults.push("full_page_writes must be on.");
  if (settings.synchronousCommit === "off")
    faults.push("synchronous_commit must not be off.");
  return faults;
}
