import { randomBytes } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { StartError } from "../start-error.ts";

/** How the private PostgreSQL is reached; kept in a file that only we may read. */
export interface Access {
  readonly port: number;
  /** Of the role myelin, which owns its database and nothing else. */
  readonly password: string;
  /** Of the superuser postgres. */
  readonly adminPassword: string;
}

/** What the file says, or a new access that is not yet written. */
export async function readAccess(file: string): Promise<Access> {
  const text = await readFile(file, "utf8").catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    },
  );
  if (text !== undefined) return parseAccess(file, text);
  const password = () => randomBytes(32).toString("hex");
  return {
    port: await findFreePort(),
    password: password(),
    adminPassword: password(),
  };
}

function parseAccess(file: string, text: string): Access {
  try {
    return JSON.parse(text) as Access;
  } catch (cause) {
    throw new StartError(
      `${file}, which holds the port and the passwords of the private PostgreSQL, is damaged. Restore it from a backup.`,
      { cause },
    );
  }
}

/** Whole and on disk: without its passwords the database is lost. */
export async function writeAccess(file: string, access: Access): Promise<void> {
  const temporary = `${file}.new`;
  const draft = await open(temporary, "w", 0o600);
  try {
    await draft.writeFile(`${JSON.stringify(access)}\n`);
    await draft.sync();
  } finally {
    await draft.close();
  }
  await rename(temporary, file);
}

export const databaseUrlOf = ({ port, password }: Access): string =>
  `postgres://myelin:${password}@127.0.0.1:${port}/myelin`;

export const adminUrlOf = ({ port, adminPassword }: Access): string =>
  `postgres://postgres:${adminPassword}@127.0.0.1:${port}/postgres`;

export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
