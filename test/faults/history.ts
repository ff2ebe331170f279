import { Agent, request as httpRequest } from "node:http";
import fc from "fast-check";
import { checkReads, readPaths } from "../../spec/http/client/history-reads.ts";
import {
  GUESTS,
  playRoom,
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

/** A share has to be small: each room takes seconds. */
const ROOMS_OF_A_SHARE = 5;

async function runHistory({
  seed,
  units,
  isFull,
}: RunOptions): Promise<Outcome> {
  const server = new FaultServer({ processes: 2 });
  const agent = new Agent({ keepAlive: true });
  const counts = { rooms: 0, events: 0, "ways to read": readPaths.length };
  try {
    await server.start();
    // Accounts of their own for each run of rooms: their syncs stay small.
    let people: HistoryClient[] = [];
    const property = fc.asyncProperty(
      steps,
      fc.nat(),
      async (script, chance) => {
        if (counts.rooms % ROOMS_OF_ONE === 0)
          people = await makePeople(server.url, agent, counts.rooms);
        const [owner, ...others] = people as [
          HistoryClient,
          ...HistoryClient[],
        ];
        const guests = others.slice(0, GUESTS);
        const room = await playRoom(owner, guests, script);
        await checkReads(room, owner, people, chance);
        counts.rooms += 1;
        counts.events += room.events.length;
      },
    );
    const checked = await fc.check(property, {
      seed,
      numRuns: isFull ? units : Math.min(units, ROOMS_OF_A_SHARE),
      endOnFailure: true,
    });
    return {
      counts,
      claims: {
        "every way to read a room serves what the oracle says": checked.failed
          ? [
              `${String(checked.errorInstance)}: ${JSON.stringify(checked.counterexample)}`,
            ]
          : [],
      },
    };
  } finally {
    agent.destroy();
    await server.remove();
  }
}

const ROOMS_OF_ONE = 25;

/** An owner, her guests and a stranger. */
const makePeople = (
  url: string,
  agent: Agent,
  number: number,
): Promise<HistoryClient[]> =>
  Promise.all(
    Array.from({ length: GUESTS + 2 }, async (_, i) => {
      const answer = await ask(url, agent, "POST", "/register", {
        body: {
          username: `person-${number}-${i}`,
          password: "a password for the faults",
          auth: { type: "m.login.dummy" },
        },
      });
      const { user_id, access_token } = answer.body;
      const token = String(access_token);
      const asking = (method: string) => (path: string, body?: unknown) =>
        ask(url, agent, method, path, { body, token });
      return {
        userId: String(user_id),
        get: (path: string) => asking("GET")(path),
        put: asking("PUT"),
        post: (path: string, body: unknown = {}) => asking("POST")(path, body),
      };
    }),
  );

function ask(
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
