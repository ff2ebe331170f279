import { readFile, stat } from "node:fs/promises";
import type { Program } from "../program.ts";
import { StartError } from "../start-error.ts";

/** The account that PostgreSQL runs as when that is not our own. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const CANDIDATES = ["myelin", "postgres", "nobody"];

/**
 * PostgreSQL refuses to run as root: then it runs as the account that owns its
 * folder, or as one that has few rights. Otherwise it runs as ourselves.
 */
export async function chooseAccount(
  program: Program,
  folder: string,
): Promise<Account | undefined> {
  const owner = await stat(folder).then(
    ({ uid, gid }) => ({ uid, gid }),
    () => undefined,
  );
  if (program.uid !== 0) {
    if (owner && program.uid !== undefined && owner.uid !== program.uid)
      throw new StartError(
        `${folder} belongs to another account (user id ${owner.uid}), and this one (${program.uid}) may not use it. Start as root or as that account, or give the data folder to this account with chown -R.`,
      );
    return undefined;
  }
  const accounts = await listAccounts();
  if (owner && owner.uid !== 0) {
    const known = accounts.find(({ uid }) => uid === owner.uid);
    return known ?? { name: String(owner.uid), ...owner };
  }
  for (const name of CANDIDATES) {
    const account = accounts.find((a) => a.name === name);
    if (account) return account;
  }
  throw new StartError(
    "PostgreSQL does not run as root, and there is no account named myelin, postgres or nobody to run it as. Start Myelin as an ordinary user, make such an account, or name your own PostgreSQL in database.url.",
  );
}

async function listAccounts(): Promise<Account[]> {
  const text = await readFile("/etc/passwd", "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":");
    return name && uid && gid
      ? [{ name, uid: Number(uid), gid: Number(gid) }]
      : [];
  });
}
