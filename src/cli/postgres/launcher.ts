import {
  spawn,
  spawnSync,
  type ChildProcess,
  type StdioOptions,
} from "node:child_process";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Program } from "../program.ts";
import { StartError } from "../start-error.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";

/** Starts PostgreSQL's programs as the account they are to run as. */
export type Launch = (
  command: string,
  args: readonly string[],
  stdio: StdioOptions,
) => ChildProcess;

/**
 * Decides how to start programs so that they run as `account` and can enter
 * `folder`. Where a parent folder is closed to that account, as /root is, the
 * programs keep the one right of root that lets them pass.
 */
export async function createLauncher(
  program: Program,
  binaries: Binaries,
  folder: string,
  account: Account | undefined,
): Promise<Launch> {
  const options = { cwd: folder, env: environmentOf(program, binaries) };
  const launchWith =
    (prefix: readonly string[], ids: { uid?: number; gid?: number }): Launch =>
    (command, args, stdio) => {
      const [file = command, ...rest] = [...prefix, command, ...args];
      // A group of its own: Ctrl+C at a terminal is for us to pass on.
      return spawn(file, rest, { ...options, ...ids, stdio, detached: true });
    };
  if (account === undefined) return launchWith([], {});
  const { uid, gid } = account;
  const isOpen = await Promise.all(
    [folder, binaries.postgres, binaries.libraryFolder ?? folder].map((path) =>
      canReach(account, path),
    ),
  );
  if (isOpen.every(Boolean)) return launchWith([], { uid, gid });

  for (const right of ["dac_read_search", "dac_override"]) {
    const prefix = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`];
    prefix.push("--clear-groups", "--no-new-privs");
    prefix.push(`--inh-caps=-all,+${right}`, `--ambient-caps=-all,+${right}`);
    const [file = "", ...args] = [...prefix, binaries.postgres, "--version"];
    const { status } = spawnSync(file, args, { ...options, stdio: "ignore" });
    if (status === 0) return launchWith(prefix, {});
  }
  throw new StartError(
    `PostgreSQL does not run as root, and the account ${account.name} cannot enter ${folder} or ${binaries.postgres}. Start Myelin as an ordinary user, move it to a folder that others may enter (such as /opt or /srv), or name your own PostgreSQL in database.url.`,
  );
}

/** Nothing of our environment is PostgreSQL's business, least of all our keys. */
function environmentOf(program: Program, { libraryFolder }: Binaries) {
  const { PATH = "/usr/bin:/bin", TMPDIR } = program.environment;
  return {
    PATH,
    ...(TMPDIR !== undefined && { TMPDIR }),
    LC_ALL: "C",
    ...(libraryFolder !== undefined && { LD_LIBRARY_PATH: libraryFolder }),
  };
}

/** Whether the bits of a file and all folders above it let the account in. */
async function canReach(account: Account, path: string): Promise<boolean> {
  const { uid, gid, mode } = await stat(path);
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  const parent = dirname(path);
  const isOpen = ((mode >> shift) & 0o1) === 0o1;
  return isOpen && (parent === path || (await canReach(account, parent)));
}
