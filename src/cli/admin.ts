import { join } from "node:path";
import { composeEdges } from "../compose-edges.ts";
import { readSecrets } from "../config/environment.ts";
import { createAccount } from "../domain/accounts/create-account.ts";
import { makeOwner } from "../domain/admin/bindings.ts";
import { addMailAddress } from "../domain/accounts/third-party-ids.ts";
import type { Edges } from "../edges.ts";
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
  const { username, admin } = options;
  if (!username) throw new UsageError("Whom? Give --username NAME.");
  const place = await findPlace(program, options);
  const password = await readPassword(program, options["password-stdin"]);
  await act(program, place, async (edges) => {
    const { userId } = await createAccount(
      edges,
      {
        localpart: username,
        password: password.reveal(),
        isAdmin: admin,
        actor: "command line",
      },
      null,
    );
    return `${userId} is there now.`;
  });
}

/** `myelin admin add-mail-address` */
export async function addAddress(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, {
    ...folderOptions,
    username: { type: "string" },
    address: { type: "string" },
  });
  const { username, address } = options;
  if (!username || !address)
    throw new UsageError("Whose? Give --username NAME --address ADDRESS.");
  await act(program, await findPlace(program, options), async (edges) => {
    const userId = `@${username}:${edges.settings.serverName}`;
    await addMailAddress(edges, userId, address);
    return `${userId} may have notifications mailed there now.`;
  });
}

/** `myelin owner USER_ID` */
export async function grantOwner(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const [userId = "", ...rest] = args;
  if (!userId.startsWith("@"))
    throw new UsageError("Who? Give a user id, such as @name:example.org.");
  const options = parseOptions(rest, folderOptions);
  await act(program, await findPlace(program, options), async (edges) => {
    await makeOwner(edges, userId);
    return `${userId} may grant roles now, until there are a security-admin and a system-admin.`;
  });
}

interface Place {
  config: Config;
  dataFolder: string;
}

async function findPlace(
  program: Program,
  options: { config?: string | undefined; data: string },
): Promise<Place> {
  const sources = await readConfigSources(program, options.config);
  return {
    config: buildConfig(program, sources),
    dataFolder: dataFolderOf(program, options.data),
  };
}

/** Does something with the server's data, which may be served meanwhile, and prints what came of it. */
async function act(
  program: Program,
  { config, dataFolder }: Place,
  work: (edges: Edges) => Promise<string>,
): Promise<void> {
  const log = createLog({ ...config.log, level: "error" }, program.stderr);
  const killed = new AbortController();
  program.onStop(() => {
    killed.abort();
    program.exit(1);
  });
  const { signal } = killed;
  const database = await openCommandDatabase(
    program,
    config,
    dataFolder,
    log,
    signal,
  );
  try {
    const sql = await prepareDatabase(config, database.url, log);
    try {
      const composed = await composeEdges({
        config,
        sql,
        log,
        secretSource: {
          keysDir: join(dataFolder, "keys"),
          given: readSecrets(program.environment),
        },
        mediaFolder: join(dataFolder, "media"),
        now: () => Date.now(),
      });
      try {
        program.stdout.write(`${await work(composed.edges)}\n`);
      } finally {
        await composed.close();
      }
    } finally {
      await sql.end({ timeout: 1 });
    }
  } catch (error) {
    throw new StartError(describeFailure(error, log));
  } finally {
    await database.release();
  }
}
