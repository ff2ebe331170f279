import { randomUUID } from "node:crypto";
import { link, mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { SecretsError } from "./secrets-error.ts";

/** Others may not read or write a key's file, its group may not write it. */
const FORBIDDEN_MODE = 0o027;

/** The text of a key's file; undefined where there is none. */
export async function findKeyFile(
  folder: string,
  name: string,
): Promise<string | undefined> {
  const path = join(folder, name);
  const file = await open(path, "r").catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return undefined;
    throw new SecretsError(`The key file ${path} cannot be read.`, {
      cause: error,
    });
  });
  if (!file) return undefined;
  try {
    const { mode } = await file.stat();
    if ((mode & FORBIDDEN_MODE) !== 0) {
      throw new SecretsError(
        `The key file ${path} is open to other users of this machine. Run: chmod 600 ${path}`,
      );
    }
    return (await file.readFile("utf8")).trim();
  } finally {
    await file.close();
  }
}

/**
 * Writes a key's file, whole and on disk, unless there is one; tells whether
 * it did. Of several processes one wins.
 */
export async function makeKeyFile(
  folder: string,
  name: string,
  text: string,
): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${name}.${randomUUID()}`);
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, join(folder, name));
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    await unlink(draft);
  }
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return true;
}

export async function deleteKeyFile(
  folder: string,
  name: string,
): Promise<void> {
  await unlink(join(folder, name));
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
