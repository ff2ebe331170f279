import { Agent, request as httpRequest } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import {
  checkRoom,
  type HistoryPeople,
} from "../../spec/http/client/history-check.ts";
import { readPaths } from "../../spec/http/client/history-reads.ts";
import {
  GUESTS,
  steps,
  type HistoryClient,
} from "../../spec/http/client/history-room.ts";
import type { Answer } from "../../spec/support/server.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { FaultServer } from "./server.ts";

/** What each viewer is served on every way to read a room, against an oracle of the specification. */
export const history: ProofCase = {
  name: "history",
  unit: "random room with members, guests and changes of history visibility",
  fullUnits: 10_000,
  unitsPerRun: 250,
  run: runHistory,
};

/** So many rooms at a time, each of other people. */
const LANES = 5;

/** Accounts of their own for each run of rooms: their syncs stay small. */
const ROOMS_OF_ONE = 25;

const ROOMS_OF_A_SHARE = 20;

const MOST_TRIES = 50;

interface Counts {
  rooms: number;
  events: number;
}

async function runHistory({
  seed,
  units,
  isFull,
}: RunOptions): Promise<Outcome> {
  const server = new FaultServer({ processes: 2 });
  const agent = new Agent({ keepAlive: true });
  const counts: Counts = { rooms: 0, events: 0 };
  const numRuns = (isFull ? units : ROOMS_OF_A_SHARE) / LANES;
  try {
    await server.start();
    const lanes = Array.from({ length: LANES }, (_, lane) => {
      const property = roomsOf(server.url, agent, lane, counts);
      const options = { seed: seed * LANES + lane, numRuns };
      return fc.check(property, { ...options, endOnFailure: true });
    });
    const faults = (await Promise.all(lanes)).flatMap((checked) =>
      checked.failed
        ? `${String(checked.errorInstance)}: ${JSON.stringify(checked.counterexample)}`
        : [],
    );
    return {
      counts: { ...counts, "ways to read": readPaths.length },
      claims: {
        "every way to read a room serves what the oracle says": faults,
      },
    };
  } finally {
    agent.destroy();
    await server.remove();
  }
}

/** Rooms that one after the other hold what the oracle says of them. */
function roomsOf(url: string, agent: Agent, lane: number, counts: Counts) {
  let rooms = 0;
  let people: HistoryPeople;
  return fc.asyncProperty(steps, fc.nat(), async (script, chance) => {
    if (rooms % ROOMS_OF_ONE === 0)
      people = await makePeople(url, agent, `${lane}-${rooms}`);
    rooms += 1;
    const { events } = await checkRoom(people, script, chance);
    counts.rooms += 1;
    counts.events += events.length;
  });
}

/** An owner, her guests and a stranger. */
async function makePeople(
  url: string,
  agent: Agent,
  name: string,
): Promise<HistoryPeople> {
  const [owner, stranger, ...guests] = await Promise.all(
    Array.from({ length: GUESTS + 2 }, (_, i) =>
      register(url, agent, `person-${name}-${i}`),
    ),
  );
  return { owner: owner!, stranger: stranger!, guests };
}

async function register(
  url: string,
  agent: Agent,
  username: string,
): Promise<HistoryClient> {
  const { body } = await ask(url, agent, "POST", "/register", {
    body: {
      username,
      password: "a password for the faults",
      auth: { type: "m.login.dummy" },
    },
  });
  const token = String(body["access_token"]);
  const asking = (method: string) => (path: string, sent?: unknown) =>
    ask(url, agent, method, path, { body: sent, token });
  return {
    userId: String(body["user_id"]),
    get: (path: string) => asking("GET")(path),
    put: asking("PUT"),
    post: (path: string, sent: unknown = {}) => asking("POST")(path, sent),
  };
}

/**
 * What a busy machine cannot answer at the moment is asked again, and so is a reading whose
 * connection broke: it changes nothing.
 */
async function ask(...asked: Parameters<typeof askOnce>): Promise<Answer> {
  const isReading = asked[2] === "GET";
  for (let tries = 1; ; tries += 1) {
    const isLast = tries === MOST_TRIES;
    const answer = await askOnce(...asked).catch((error: unknown) => {
      if (!isReading || isLast) throw error;
    });
    if (answer && (answer.status !== 503 || isLast)) return answer;
    await pause(200);
  }
}

function askOnce(
  url: string,
  agent: Agent,
  method: string,
  path: string,
  { body, token }: { body?: unknown; token?: string },
): Promise<Answer> {
  const target = path.startsWith("/_") ? path : `/_matrix/client/v3${path}`;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      new URL(target, url),
      {
        agent,
        method,
        headers:
          token === undefined ? {} : { authorization: `Bearer ${token}` },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString();
          const { statusCode: status = 0, headers } = response;
          const parsed: unknown = text === "" ? {} : JSON.parse(text);
          const isObject = typeof parsed === "object" && parsed !== null;
          const json = isObject ? (parsed as Answer["body"]) : {};
          resolve({ status, headers, body: json, text, bytes });
        });
      },
    );
    request.on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
