import type { Readable, Writable } from "node:stream";

/** What of the surrounding process a command may touch; main.ts alone makes one. */
export interface Program {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly pid: number;
  /** The user id, where the system has such. */
  readonly uid: number | undefined;
  readonly platform: string;
  readonly architecture: string;
  readonly stdin: Readable & { isTTY?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Calls back for each request to stop. */
  onStop(listener: () => void): void;
  /** Whether a process of that number lives. */
  isAlive(pid: number): boolean;
  sendSignal(pid: number, signal: NodeJS.Signals): void;
  exit(code: number): never;
}
