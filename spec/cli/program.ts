import type { Program } from "../../src/cli/program.ts";

/** This process as a command sees it, with some parts changed. */
export const testProgram = (changes: Partial<Program> = {}): Program => ({
  arguments: [],
  environment: {},
  folder: process.cwd(),
  pid: process.pid,
  uid: process.getuid?.(),
  platform: process.platform,
  architecture: process.arch,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  onStop: () => undefined,
  isAlive(pid) {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  },
  sendSignal: (pid, signal) => void process.kill(pid, signal),
  exit: (code) => process.exit(code),
  ...changes,
});
