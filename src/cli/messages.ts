import type { ConfigSources } from "./read-config.ts";

/** What a worker needs to serve. Keys come to it by its environment. */
export interface Assignment {
  readonly sources: ConfigSources;
  readonly dataFolder: string;
  readonly databaseUrl: string;
  readonly processIndex: number;
}

export type ToWorker =
  | { type: "start"; assignment: Assignment }
  | { type: "stop" }
  /** To be answered at once. */
  | { type: "ping" }
  | { type: "measure"; id: number };

export type FromWorker =
  | { type: "hello" }
  | { type: "pong" }
  | { type: "measured"; id: number; figures: object[] }
  | { type: "ready"; url: string }
  /** It cannot start, for a reason that the person who started us can mend. */
  | { type: "failed"; message: string };

const TYPES = [
  ...["start", "stop", "ping", "measure"],
  ...["hello", "pong", "measured", "ready", "failed"],
];

/** Others may send messages of their own. */
export const isOurs = (message: unknown): message is ToWorker | FromWorker =>
  typeof message === "object" &&
  message !== null &&
  "type" in message &&
  TYPES.includes(String(message.type));
