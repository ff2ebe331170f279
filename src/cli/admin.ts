import { join } from "node:path";
import { composeEdges } from "../compose-edges.ts";
import { readSecrets } from "../config/environment.ts";
import { createAccount } from "../domain/accounts/create-account.ts";
import type { Log } from "../edges.ts";
import { prepareDatabase } from "./prepare-database.ts";
import { describeFailure } from "./failure.ts";
import { createLog } from "./log.ts";
import { openCommandDatabase } from "./database.ts";
import { dataFolderOf, folderOptions, parseOptions } from "./options.ts";
import { readPassword } from "./password.ts";
import type { Program } from "./program.ts";
import { buildConfig, readConfigSources } from "./read-config.ts";
import { StartError } from "./start-error.ts";
import { UsageError } from "./usage.ts";
import type { Config } from "../config/schema.ts";
import type { Secret } from "../util/secret.ts";

export interface NewUser {
  readonly username: string;
  readonly password: Secret;
  readonly isAdmin: boolean;
}

/** `myelin admin create-user` */
export async function createUser(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, {
    ...folderOptions,
    username: { type: "string" },
    admin: { type: "boolean", default: false },
    "password-stdin": { type: "boolean", default: false },
  });
  const { username, admin, data } = options;
  if (!username) throw new UsageError("Whom? Give --username NAME.");
  const sources = await readConfigSources(program, options.config);
  const config = buildConfig(program, sources);
  const password = await readPassword(program, options["password-stdin"]);

  const dataFolder = dataFolderOf(program, data);
  const log = createLog({ ...config.log, level: "error" }, program.stderr);
  const killed = new AbortController();
  program.onStop(() => {
    killed.abort();
    program.exit(1);
  });
  const database = await openCommandDatabase(
    program,
    config,
    dataFolder,
    log,
    killed.signal,
  );
  try {
    const userId = await createUserByCli(
      { config, log, dataFolder, databaseUrl: database.url },
      readSecrets(program.environment),
      { username, password, isAdmin: admin },
    );
    program.stdout.write(`${userId} is there now.\n`);
  } catch (error) {
    throw new StartError(describeFailure(error, log));
  } finally {
    await database.release();
  }
}

interface Place {
  config: Config;
  log: Log;
  dataFolder: string;
  databaseUrl: string;
}

/** Makes the account, recorded in the audit log; answers its user id. */
async function createUserByCli(
  { config, log, dataFolder, databaseUrl }: Place,
  given: ReadonlyMap<string, Secret>,
  { username, password, isAdmin }: NewUser,
): Promise<string> {
  const sql = await prepareDatabase(config, databaseUrl, log);
  try {
    const secretSource = { keysDir: join(dataFolder, "keys"), given };
    const composed = await composeEdges({
      config,
      sql,
      log,
      secretSource,
      mediaFolder: join(dataFolder, "media"),
      now: () => Date.now(),
    });
    try {
      const { userId } = await createAccount(
        composed.edges,
        {
          localpart: username,
          password: password.reveal(),
          isAdmin,
          actor: "command line",
        },
        null,
      );
      return userId;
    } finally {
      await composed.close();
    }
  } finally {
    await sql.end({ timeout: 1 });
  }
}
