import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { useFolders } from "./use-folder.ts";

/** What its requests are signed with. */
export const S3_ACCESS_KEY = "S3RVER";
export const S3_SECRET_KEY = "S3RVER";
export const S3_BUCKET = "myelin-media";

export interface S3Server {
  readonly endpoint: string;
  /** Its objects and unfinished uploads, as files. */
  readonly folder: string;
}

const program = join(
  dirname(createRequire(import.meta.url).resolve("s3rver/package.json")),
  "bin/s3rver.js",
);

/** A real S3 server in a process of its own, for the enclosing `describe`. */
export function useS3Server(): S3Server {
  const makeFolder = useFolders();
  let child: ChildProcess | undefined;
  let endpoint = "";
  let folder = "";

  before("start an S3 server", async () => {
    folder = await makeFolder();
    const options = ["-d", folder, "-a", "127.0.0.1", "-p", "0", "-s"];
    child = spawn(
      process.execPath,
      [program, ...options.slice(0, -1), "--configure-bucket", S3_BUCKET],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    for await (const line of createInterface({ input: child.stdout! })) {
      const [, port] = /:(\d+)\s*$/.exec(line) ?? [];
      if (port === undefined) continue;
      endpoint = `http://127.0.0.1:${port}`;
      break;
    }
    child.stdout!.resume();
    child.stderr!.resume();
  });

  after("stop the S3 server", async () => {
    if (!child || child.exitCode !== null) return;
    child.kill();
    await once(child, "exit");
  });

  return {
    get endpoint() {
      return endpoint;
    },
    get folder() {
      return folder;
    },
  };
}
