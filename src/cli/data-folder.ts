import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findProcessIdentity } from "./process-identity.ts";
import type { Program } from "./program.ts";
import { StartError } from "./start-error.ts";

/** Makes the data folder; as root, its PostgreSQL runs as another account and passes through. */
export async function createDataFolder(
  program: Program,
  folder: string,
): Promise<void> {
  const mode = program.uid === 0 ? 0o711 : 0o700;
  await mkdir(folder, { recursive: true, mode }).catch((error: Error) => {
    throw new StartError(
      `The data folder ${folder} cannot be made: ${error.message}`,
    );
  });
}

interface Holder {
  pid: number;
  identity: string;
}

/**
 * Claims a data folder for this process; a claim ends with its process.
 * @throws StartError naming the process that uses the folder.
 */
export async function lockDataFolder(
  program: Program,
  folder: string,
): Promise<{ release(): Promise<void> }> {
  const file = join(folder, "lock");
  const own = `${file}.${program.pid}`;
  const identity = (await findProcessIdentity(program, program.pid)) ?? "";
  await writeFile(own, JSON.stringify({ pid: program.pid, identity })).catch(
    (error: Error) => {
      throw new StartError(
        `The data folder ${folder} cannot be written to: ${error.message}`,
      );
    },
  );
  try {
    for (let tries = 0; tries < 10; tries += 1) {
      if (await tryLink(own, file))
        return { release: () => rm(file, { force: true }) };
      const text = await readLock(folder);
      const holder = await findLiving(program, text);
      if (holder !== undefined)
        throw new StartError(
          `The data folder ${folder} is in use by process ${holder}. Stop that one first, or name another folder with --data.`,
        );
      await removeStale(file, `${own}.stale`, text);
    }
  } finally {
    await rm(own, { force: true });
    await rm(`${own}.stale`, { force: true });
  }
  throw new StartError(
    `The data folder ${folder} could not be claimed: others try to at this moment.`,
  );
}

/** The process that uses a data folder now. */
export const findHolder = async (
  program: Program,
  folder: string,
): Promise<number | undefined> => findLiving(program, await readLock(folder));

const readLock = (folder: string): Promise<string> =>
  readFile(join(folder, "lock"), "utf8").catch(() => "{}");

async function findLiving(
  program: Program,
  text: string,
): Promise<number | undefined> {
  const { pid, identity } = parseHolder(text);
  if (pid === undefined || pid === program.pid) return undefined;
  const living = await findProcessIdentity(program, pid);
  return living !== undefined && living === identity ? pid : undefined;
}

/** Another process may have done so and claimed the folder since `text` was read: its claim stays. */
async function removeStale(
  file: string,
  aside: string,
  text: string,
): Promise<void> {
  const moved = await rename(file, aside).then(
    () => readFile(aside, "utf8"),
    () => text,
  );
  if (moved !== text) await tryLink(aside, file);
}

function parseHolder(text: string): Partial<Holder> {
  try {
    return JSON.parse(text) as Partial<Holder>;
  } catch {
    return {};
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
