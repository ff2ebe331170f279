import cluster from "node:cluster";
import { setFlagsFromString } from "node:v8";
import type { Program } from "./cli/program.ts";

// Where a machine has much memory, V8 lets the heap grow to four times what is alive in it
// before it looks: five first syncs of 5,000 rooms made a process 120 MB larger by that.
setFlagsFromString("--heap-growing-percent=100");

const program: Program = {
  arguments: process.argv.slice(2),
  environment: process.env,
  folder: process.cwd(),
  pid: process.pid,
  uid: process.getuid?.(),
  platform: process.platform,
  architecture: process.arch,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  onStop(listener) {
    for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, listener);
  },
  isAlive(pid) {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "EPERM";
    }
  },
  sendSignal: (pid, signal) => void process.kill(pid, signal),
  exit: (code) => process.exit(code),
};

// Whoever read what we write may be gone: that is no reason to stop serving.
for (const output of [process.stdout, process.stderr])
  output.on("error", () => undefined);

if (cluster.isWorker) {
  const { runWorker } = await import("./cli/worker.ts");
  runWorker(program);
} else {
  const { run } = await import("./cli/run.ts");
  program.exit(await run(program));
}
