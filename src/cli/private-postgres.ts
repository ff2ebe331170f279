import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../edges.ts";
import {
  adminUrlOf,
  databaseUrlOf,
  findFreePort,
  isPortFree,
  readAccess,
  writeAccess,
} from "./postgres/access.ts";
import { chooseAccount } from "./postgres/account.ts";
import { findBinaries } from "./postgres/binaries.ts";
import { createCluster, giveTo } from "./postgres/create-cluster.ts";
import { PostmasterKeeper } from "./postgres/keeper.ts";
import { createLauncher } from "./postgres/launcher.ts";
import { endLeftovers } from "./postgres/leftovers.ts";
import { stopOrphan } from "./postgres/postmaster-file.ts";
import type { Program } from "./program.ts";
import { StartError } from "./start-error.ts";

export interface PrivatePostgres {
  /** Connects as the owner of the database `myelin`. */
  readonly databaseUrl: string;
  /** Connects as the superuser. */
  readonly adminUrl: string;
  stop(): Promise<void>;
}

interface PostgresOptions {
  readonly maxConnections?: number;
  /** Ends it at once, even while it starts; the next start recovers what was committed. */
  readonly killed?: AbortSignal;
}

/** The major version that `PG_VERSION` of a folder must name. */
const MAJOR = "18";

/**
 * Starts the PostgreSQL that lives in `<dataFolder>/postgres`, making it first
 * if need be, and starts it again whenever it dies. The caller holds the lock
 * of the data folder, which exists.
 */
export async function startPrivatePostgres(
  program: Program,
  dataFolder: string,
  log: Log,
  { maxConnections = 200, killed }: PostgresOptions = {},
): Promise<PrivatePostgres> {
  const folder = join(dataFolder, "postgres");
  const accessFile = join(dataFolder, "postgres.json");
  const account = await chooseAccount(program, folder);
  const binaries = await findBinaries(
    program,
    join(dataFolder, "postgres-libraries"),
  );
  const launch = createLauncher(program, binaries, dataFolder, account);
  let access = await readAccess(accessFile);
  const version = await readVersion(folder);
  if (version === undefined) {
    await writeAccess(accessFile, access);
    await createCluster(folder, binaries, launch, account, access);
  } else if (version !== MAJOR) {
    throw new StartError(
      `${folder} was made by PostgreSQL ${version}, and this Myelin brings ${MAJOR}. Use the Myelin that made it, or move the data with pg_dump.`,
    );
  } else {
    if (account && (await stat(folder)).uid !== account.uid)
      await giveTo(account, folder);
    await stopOrphan(program, folder);
    if (!(await isPortFree(access.port))) {
      access = { ...access, port: await findFreePort() };
      await writeAccess(accessFile, access);
    }
  }
  const keeper = new PostmasterKeeper(
    {
      folder,
      logFile: join(dataFolder, "postgres.log"),
      port: access.port,
      maxConnections,
    },
    binaries,
    launch,
    log,
    () => endLeftovers(program, folder),
  );
  killed?.addEventListener("abort", () => keeper.kill());
  await keeper.start();
  return {
    databaseUrl: databaseUrlOf(access),
    adminUrl: adminUrlOf(access),
    stop: () => keeper.stop(),
  };
}

async function readVersion(folder: string): Promise<string | undefined> {
  const file = join(folder, "PG_VERSION");
  const text = await readFile(file, "utf8").catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    },
  );
  return text?.trim();
}
