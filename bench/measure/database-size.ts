import postgres from "postgres";

/** What a database holds on disk, each table with its indexes. */
export interface StoredBytes {
  readonly total: number;
  readonly tables: ReadonlyMap<string, number>;
  /** The write-ahead log's position; undefined where there is none to read. */
  readonly walPosition?: number;
}

export async function readDatabaseSize(url: string): Promise<StoredBytes> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const rows = await sql<{ name: string; bytes: number }[]>`
      select c.relname as name, pg_total_relation_size(c.oid)::float8 as bytes
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'm')
        and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`;
    const [wal] = await sql<{ position: number }[]>`
      select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as position`;
    return {
      total: rows.reduce((sum, { bytes }) => sum + bytes, 0),
      tables: new Map(rows.map(({ name, bytes }) => [name, bytes])),
      ...(wal && { walPosition: wal.position }),
    };
  } finally {
    await sql.end();
  }
}

export interface HeldSnapshot {
  release(): Promise<void>;
}

/** A transaction that sees the database as it is now, and keeps it from tidying up. */
export async function holdSnapshot(url: string): Promise<HeldSnapshot> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  const connection = await sql.reserve();
  await connection`begin isolation level repeatable read`;
  await connection`select count(*) from pg_class`;
  return {
    async release() {
      await connection`rollback`;
      connection.release();
      await sql.end();
    },
  };
}
