import { createLog } from "./log.ts";
import { describeFailure } from "./failure.ts";
import { folderOptions, parseOptions } from "./options.ts";
import { findPlace } from "./act.ts";
import { migrateFor } from "./prepare-database.ts";
import type { Program } from "./program.ts";
import { StartError } from "./start-error.ts";
import { UsageError } from "./usage.ts";

/**
 * `myelin database grant`: for whoever keeps what owns the tables away from the machine
 * that serves.
 */
export async function grantDatabase(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, {
    ...folderOptions,
    role: { type: "string" },
  });
  const { role } = options;
  if (role === undefined || role === "")
    throw new UsageError("--role expects the role that is to serve.");
  const { config } = await findPlace(program, options);
  const { url, ownerUrl = url } = config.database;
  if (!ownerUrl)
    throw new UsageError(
      "The private PostgreSQL has one role. Set database.url, or database.owner_url.",
    );
  const log = createLog({ ...config.log, level: "error" }, program.stderr);
  try {
    await migrateFor(role, ownerUrl.reveal(), log);
  } catch (error) {
    throw new StartError(describeFailure(error, log));
  }
  program.stdout.write(
    `The role ${role} can serve, and can change no table and nothing of the audit log.\n`,
  );
}
