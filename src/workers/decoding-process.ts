import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { setPriority } from "node:os";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The process that decodes images, and what it is worth to the machine. */
export interface DecodingProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Has it run where nobody else wants to, if it can be taken out of there. */
  yieldToAll(): void;
  /** On a machine that never idles it would never be done: gives it a tenth of a share. */
  takeShare(): void;
  kill(): void;
}

const MEMORY_KIB = 384 * 1024;
/** Behind everything that serves, so that thumbnails slow no sync, also where no class is. */
const NICE = 10;
const PROGRAM = fileURLToPath(
  new URL("./thumbnail-process.js", import.meta.url),
);

/** What one image took is given back before the next: the limit is for each. */
const ENVIRONMENT = {
  UV_THREADPOOL_SIZE: "2",
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: "131072",
  MALLOC_TRIM_THRESHOLD_: "131072",
};

/**
 * A shell sets the limit of memory, which a program cannot set for itself. Another one stays
 * beside it to change the class of all its threads: whoever has work interrupts those of the
 * class "idle" at once. Each process that the serving thread starts itself stops it for some
 * milliseconds. Where leaving that class is not allowed, it is not entered.
 */
const COMMAND = `
ulimit -d "$0"; ulimit -c 0
if chrt -i 0 chrt -o 0 true 2>/dev/null; then
  pid=$$
  while read -r class; do
    chrt -a "$class" -p 0 "$pid" ||
      for thread in /proc/"$pid"/task/*; do chrt "$class" -p 0 "\${thread##*/}"; done
  done <&3 >/dev/null 2>&1 &
fi
exec "$@" 3<&-`;

export function startDecodingProcess(): DecodingProcess {
  const child = spawn(
    "/bin/sh",
    [
      ...["-c", COMMAND, String(MEMORY_KIB), process.execPath],
      ...["--max-old-space-size=64", PROGRAM],
    ],
    {
      cwd: "/",
      env: ENVIRONMENT,
      stdio: ["pipe", "pipe", "ignore", "pipe"],
    },
  );
  const [stdin, stdout, , control] = child.stdio as unknown as [
    Writable,
    Readable,
    null,
    Socket,
  ];
  // What it says or does not say is found out where it is asked.
  for (const one of [child, stdin, stdout, control])
    one.on("error", () => undefined);
  child.unref();
  control.unref();
  // Whoever stays beside it ends with it.
  child.once("exit", () => control.destroy());
  if (child.pid !== undefined) makeSlow(child.pid);
  const setClass = (option: "-i" | "-o") => {
    if (control.writable) control.write(`${option}\n`);
  };
  return {
    stdin,
    stdout,
    yieldToAll: () => setClass("-i"),
    takeShare: () => setClass("-o"),
    kill() {
      // It would not even die while others have work.
      setClass("-o");
      child.kill("SIGKILL");
    },
  };
}

function makeSlow(pid: number): void {
  try {
    setPriority(pid, NICE);
  } catch {
    // It has ended already, which is found out where it is asked.
  }
}
