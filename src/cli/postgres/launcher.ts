import {
  spawn,
  spawnSync,
  type ChildProcess,
  type StdioOptions,
} from "node:child_process";
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
export function createLauncher(
  program: Program,
  binaries: Binaries,
  folder: string,
  account: Account | undefined,
): Launch {
  const env = environmentOf(program, binaries);
  const launchWith =
    ({ prefix, ids }: Way): Launch =>
    (command, args, stdio) => {
      const [file = command, ...rest] = [...prefix, command, ...args];
      // A group of its own: Ctrl+C at a terminal is for us to pass on.
      const options = { cwd: folder, env, stdio, detached: true };
      return spawn(file, rest, { ...options, ...ids });
    };
  if (account === undefined) return launchWith({ prefix: [], ids: {} });

  for (const way of listWays(account)) {
    const script = 'cd "$1" && exec "$0" --show -D "$1"';
    const probe = ["sh", "-c", script, binaries.initdb, folder];
    const [file = "", ...args] = [...way.prefix, ...probe];
    const options = { env, cwd: "/", stdio: "ignore" } as const;
    const { status } = spawnSync(file, args, { ...options, ...way.ids });
    if (status === 0) return launchWith(way);
  }
  throw new StartError(
    `PostgreSQL does not run as root, and the account ${account.name} cannot enter ${folder} or run ${binaries.postgres}. Start Myelin as an ordinary user, move it to a folder that others may enter (such as /opt or /srv), or name your own PostgreSQL in database.url.`,
  );
}

/** A way for root to become another account. */
interface Way {
  readonly prefix: readonly string[];
  readonly ids: { uid?: number; gid?: number };
}

function listWays({ uid, gid }: Account): Way[] {
  const keeping = (right: string): Way => ({
    prefix: [
      "setpriv",
      `--reuid=${uid}`,
      `--regid=${gid}`,
      "--clear-groups",
      "--no-new-privs",
      // Else access(2), by which PostgreSQL finds its own parts, ignores the right.
      "--securebits=+no_setuid_fixup",
      `--inh-caps=-all,+${right}`,
      `--ambient-caps=-all,+${right}`,
    ],
    ids: {},
  });
  return [
    { prefix: [], ids: { uid, gid } },
    keeping("dac_read_search"),
    keeping("dac_override"),
  ];
}

/** Nothing of our environment is PostgreSQL's business, least of all our keys. */
function environmentOf(program: Program, { libraryFolders }: Binaries) {
  const { PATH = "/usr/bin:/bin", TMPDIR } = program.environment;
  return {
    PATH,
    ...(TMPDIR !== undefined && { TMPDIR }),
    LC_ALL: "C",
    ...(libraryFolders && { LD_LIBRARY_PATH: libraryFolders.join(":") }),
  };
}
