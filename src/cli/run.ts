import { ConfigError } from "../config/fault.ts";
import { folderOptions, parseOptions } from "./options.ts";
import type { Program } from "./program.ts";
import { StartError } from "./start-error.ts";
import { USAGE, UsageError } from "./usage.ts";

type Command = (program: Program, args: readonly string[]) => Promise<void>;

/** Each loads what it needs: the server is much, and its workers load it too. */
const commands: Readonly<Record<string, Command>> = {
  serve: async (...call) => (await import("./serve.ts")).serve(...call),
  "config check": async (...call) =>
    (await import("./config.ts")).checkConfig(...call),
  "config sample": async (...call) =>
    (await import("./config.ts")).printSample(...call),
  "admin create-user": async (...call) =>
    (await import("./admin.ts")).createUser(...call),
  "admin add-mail-address": async (...call) =>
    (await import("./admin.ts")).addAddress(...call),
  "admin login": async (...call) =>
    (await import("./admin-request.ts")).logIn(...call),
  "admin import-users": async (...call) =>
    (await import("./admin-request.ts")).importUsers(...call),
  "admin request": async (...call) =>
    (await import("./admin-request.ts")).requestByHand(...call),
  ...Object.fromEntries(
    [
      ...["users", "rooms", "tokens", "registration-tokens", "roles"],
      ...["jobs", "audit", "alerts"],
    ].map((group): [string, Command] => [
      `admin ${group}`,
      async (...call) =>
        (await import("./admin-request.ts")).adminActs(group)(...call),
    ]),
  ),
  owner: async (...call) => (await import("./admin.ts")).grantOwner(...call),
  "incident drill": async (...call) =>
    (await import("./incident-drill.ts")).drillIncident(...call),
  "policy off": async (...call) =>
    (await import("./admin.ts")).endPolicy(...call),
  "audit verify": async (...call) =>
    (await import("./audit-verify.ts")).verifyAudit(...call),
  "audit export": async (...call) =>
    (await import("./audit.ts")).exportAudit(...call),
  "audit key": async (...call) =>
    (await import("./audit.ts")).printAuditKey(...call),
  "audit rotate-key": async (...call) =>
    (await import("./audit.ts")).rotateKey(...call),
  "retention verify": async (...call) =>
    (await import("./retention-verify.ts")).verifyCertificates(...call),
  "privacy verify": async (...call) =>
    (await import("./privacy-verify.ts")).verifyPrivacy(...call),
  "keys rotate": async (...call) =>
    (await import("./keys.ts")).rotateKeys(...call),
  "database grant": async (...call) =>
    (await import("./database-grant.ts")).grantDatabase(...call),
  "database verify": async (...call) =>
    (await import("./database-verify.ts")).verifyDatabase(...call),
  "database upgrade": upgradeDatabase,
};

/** Runs the command that the arguments name and answers the exit code. */
export async function run(program: Program): Promise<number> {
  try {
    await findCommand(program);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      program.stderr.write(`${error.message}\n\n${USAGE}`);
      return 2;
    }
    if (!(error instanceof ConfigError || error instanceof StartError))
      throw error;
    program.stderr.write(`${error.message}\n`);
    return 1;
  }
}

async function findCommand(program: Program): Promise<void> {
  const [first = "", second = ""] = program.arguments;
  if (["--help", "-h", "help"].includes(first)) {
    program.stdout.write(USAGE);
    return;
  }
  for (const words of [1, 2]) {
    const name = [first, second].slice(0, words).join(" ");
    if (Object.hasOwn(commands, name))
      return commands[name]?.(program, program.arguments.slice(words));
  }
  throw new UsageError(
    first === ""
      ? "Which command?"
      : `There is no command "${first} ${second}".`,
  );
}

async function upgradeDatabase(program: Program, args: readonly string[]) {
  parseOptions(args, folderOptions);
  program.stdout.write(
    "Nothing to do: this Myelin brings the first PostgreSQL that any did.\n",
  );
}
