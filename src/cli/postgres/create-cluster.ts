import type { ChildProcess } from "node:child_process";
import {
  chown,
  lchown,
  mkdir,
  readdir,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { StartError } from "../start-error.ts";
import type { Access } from "./access.ts";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import type { Launch } from "./launcher.ts";

/**
 * Makes the folder of a new PostgreSQL with the role and database `myelin`.
 * It gets its name when it is whole, so a start cut short leaves nothing half made.
 */
export async function createCluster(
  folder: string,
  binaries: Binaries,
  launch: Launch,
  account: Account | undefined,
  access: Access,
): Promise<void> {
  const unfinished = `${folder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  const passwordFile = join(unfinished, "password");
  const cluster = join(unfinished, "cluster");
  await writeFile(passwordFile, access.adminPassword, { mode: 0o600 });
  if (account) await giveTo(account, unfinished);

  const initialise = ["-D", cluster, "--pwfile", passwordFile];
  initialise.push("-U", "postgres", "-A", "scram-sha-256");
  initialise.push("-E", "UTF8", "--locale=C", "--no-instructions");
  await run(launch(binaries.initdb, initialise, ["ignore", "pipe", "pipe"]));

  const single = ["--single", "-D", cluster, "-c", "exit_on_error=on"];
  const child = launch(
    binaries.postgres,
    [...single, "template1"],
    ["pipe", "pipe", "pipe"],
  );
  child.stdin?.end(
    [
      `create role myelin login password '${access.password}'`,
      "create database myelin owner myelin template template0 encoding 'UTF8' locale 'C'",
      "revoke connect on database postgres, template1, myelin from public",
      "",
    ].join("\n"),
  );
  await run(child);
  await rename(cluster, folder);
  await rm(unfinished, { recursive: true });
}

/** Gives a folder and all in it to an account, as PostgreSQL demands. */
export async function giveTo(
  { uid, gid }: Account,
  folder: string,
): Promise<void> {
  const inside = await readdir(folder, { recursive: true });
  for (const name of inside) await lchown(join(folder, name), uid, gid);
  await chown(folder, uid, gid);
}

function run(child: ChildProcess): Promise<void> {
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-2000);
    });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new StartError(
            `The private PostgreSQL could not be set up: ${output.trim()}`,
          ),
        );
    });
  });
}
