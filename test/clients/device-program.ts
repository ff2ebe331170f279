import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface Account {
  url: string;
  name: string;
  password: string;
}

export interface Login {
  user_id: string;
  device_id: string;
}

interface InRoom {
  room_id: string;
}

/** A message that a device has opened. */
export interface Opened {
  event_id: string;
  sender: string;
  type: string;
  content: Record<string, unknown>;
}

/** What a device finds where it reads all of a room. */
export interface Reading {
  /** The oldest first. */
  opened: Opened[];
  /** Event ids with the reason. */
  closed: Record<string, string>;
}

/** What a device has come to know by following the server. */
export interface Following {
  /** Event ids as the server told them, from token to token; none by sliding sync. */
  shown: string[];
  /** How many events were shown before their keys had come, and opened later. */
  late: number;
  /** Event ids that are still not opened, with the reason. */
  closed: Record<string, string>;
}

/** What a program of a device is asked, and what it answers. */
export interface Commands {
  register: [Account, Login];
  log_in: [Account & { slides?: boolean }, Login];
  /** Ends the program's client; what it stored stays. */
  leave: [object, null];
  come_back: [object, null];
  create_room: [{ invite: string[]; encryption: object }, string];
  join: [InRoom, null];
  /** Waits until it knows these people in the room. */
  meet: [InRoom & { user_ids: string[] }, null];
  /** Waits until it knows exactly these devices of each. */
  know: [{ devices: Record<string, string[]> }, null];
  /** Trusts the keys of a device, as if compared. */
  trust: [Login, null];
  send: [InRoom & { type: string; content: object; txn_id?: string }, string];
  /** Waits until it has opened that event. */
  hear: [{ event_id: string }, Opened];
  /** Waits until it was shown that event without its key. */
  miss: [{ event_id: string }, null];
  /** Asks the person's other devices for the keys of what it could not open. */
  request_keys: [object, number];
  read: [InRoom, Reading];
  following: [object, Following];
}

export type Command = keyof Commands;

interface Answer {
  id: number;
  answer?: unknown;
  error?: string;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** A device in a process of its own: asked by a line of JSON, it answers each by a line. */
export class DeviceProgram {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed: Promise<unknown>;
  #lastId = 0;
  #complaints = "";

  constructor(command: string, args: readonly string[]) {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    this.#closed = once(child, "close").then(() => this.#giveUp());
    createInterface({ input: child.stdout }).on("line", (line) =>
      this.#take(JSON.parse(line) as Answer),
    );
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-3000);
    });
    // A program that is gone does not read: who waits for it is told by its end.
    child.stdin.on("error", () => undefined);
    process.once("exit", this.kill);
  }

  ask<C extends Command>(
    command: C,
    args: Commands[C][0],
  ): Promise<Commands[C][1]> {
    const id = (this.#lastId += 1);
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    this.#child.stdin?.write(`${JSON.stringify({ id, command, args })}\n`);
    return answer as Promise<Commands[C][1]>;
  }

  /** Lets it end by itself, and ends it where it does not. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    const impatient = setTimeout(this.kill, 5000);
    await this.#closed;
    clearTimeout(impatient);
  }

  readonly kill = (): void => void this.#child.kill("SIGKILL");

  #take({ id, answer, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(answer ?? null);
    else waiting?.reject(new Error(error));
  }

  #giveUp(): void {
    process.off("exit", this.kill);
    for (const { reject } of this.#waiting.values())
      reject(new Error(`The device's program ended: ${this.#complaints}`));
    this.#waiting.clear();
  }
}
