import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

/** What requests to it are signed with. */
export const S3_ACCESS_KEY = "S3RVER";
export const S3_SECRET_KEY = "S3RVER";
export const S3_BUCKET = "myelin-media";

export interface S3Process {
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** A real S3 server in a process of its own, which keeps its objects in a folder. */
export async function startS3Server(folder: string): Promise<S3Process> {
  const require = createRequire(import.meta.url);
  const home = dirname(require.resolve("s3rver/package.json"));
  const child = spawn(
    process.execPath,
    [
      ...[join(home, "bin/s3rver.js"), "-d", folder],
      ...["-a", "127.0.0.1", "-p", "0", "--configure-bucket", S3_BUCKET],
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const kill = () => child.kill();
  process.once("exit", kill);
  const ended = once(child, "exit");
  const stop = async () => {
    kill();
    await ended;
    process.off("exit", kill);
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const [, port] = /:(\d+)\s*$/.exec(line) ?? [];
    if (port === undefined) continue;
    child.stdout.resume();
    return { endpoint: `http://127.0.0.1:${port}`, stop };
  }
  throw new Error("the S3 server ended before it served");
}
