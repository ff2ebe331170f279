/** Where a PostgreSQL lives and how it is reached. */
export interface Place {
  readonly folder: string;
  readonly logFile: string;
  readonly port: number;
  readonly maxConnections: number;
}

/** What the private PostgreSQL runs with; promise 1 rests on the first three. */
const SETTINGS: Readonly<Record<string, string | number>> = {
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  shared_buffers: "256MB",
  effective_cache_size: "1GB",
  work_mem: "8MB",
  maintenance_work_mem: "64MB",
  random_page_cost: 1.1,
  jit: "off",
  max_parallel_workers_per_gather: 0,
  wal_level: "minimal",
  max_wal_senders: 0,
  max_wal_size: "1GB",
  min_wal_size: "128MB",
  checkpoint_completion_target: 0.9,
  password_encryption: "scram-sha-256",
  timezone: "UTC",
  log_timezone: "UTC",
  // An error's text may hold what a person wrote; we log our own.
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_checkpoints: "off",
};

export function serverArguments({ folder, port, maxConnections }: Place) {
  const settings = { ...SETTINGS, port, max_connections: maxConnections };
  const options = Object.entries(settings).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  return ["-D", folder, ...options];
}
