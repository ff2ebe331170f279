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
  const database = await openCommandDatabase(program, config, dataFolder, log);
  try {
    const user = { username, password, isAdmin: admin };
    const userId = await createUserByCli(config, database.url, user);
    program.stdout.write(`${userId} is there now.\n`);
  } finally {
    await database.release();
  }
}

/** Makes the account as registration by shared secret would; answers its user id. */
async function createUserByCli(
  _config: Config,
  _databaseUrl: string,
  _user: NewUser,
): Promise<string> {
  throw new StartError("Accounts cannot be made yet.");
}
