import { type Agent, request as httpRequest } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { HistoryPeople } from "../../spec/http/client/history-check.ts";
import {
  GUESTS,
  type HistoryClient,
} from "../../spec/http/client/history-room.ts";
import type { Answer } from "../../spec/support/server.ts";

const MOST_TRIES = 50;

export interface Counts {
  requests: number;
  "asked again": number;
}

/** The server that is asked, by which connections, and what is counted of it. */
export interface Target {
  url: string;
  agent: Agent;
  counts: Counts;
}

/** An owner, her guests and a stranger. */
export async function makePeople(
  target: Target,
  name: string,
): Promise<HistoryPeople> {
  const [owner, stranger, ...guests] = await Promise.all(
    Array.from({ length: GUESTS + 2 }, (_, i) =>
      register(target, `person-${name}-${i}`),
    ),
  );
  return { owner: owner!, stranger: stranger!, guests };
}

async function register(
  target: Target,
  username: string,
): Promise<HistoryClient> {
  const { body } = await ask(target, "POST", "/register", {
    body: {
      username,
      password: "a password for the faults",
      auth: { type: "m.login.dummy" },
    },
  });
  const token = String(body["access_token"]);
  const asking = (method: string) => (path: string, sent?: unknown) =>
    ask(target, method, path, { body: sent, token });
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
  const [{ counts }, method] = asked;
  const isReading = method === "GET";
  counts.requests += 1;
  for (let tries = 1; ; tries += 1) {
    const isLast = tries === MOST_TRIES;
    const answer = await askOnce(...asked).catch((error: unknown) => {
      if (!isReading || isLast) throw error;
    });
    if (answer && (answer.status !== 503 || isLast)) return answer;
    counts["asked again"] += 1;
    await pause(200);
  }
}

function askOnce(
  { url, agent }: Target,
  method: string,
  path: string,
  { body, token }: { body?: unknown; token?: string },
): Promise<Answer> {
  const full = path.startsWith("/_") ? path : `/_matrix/client/v3${path}`;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      new URL(full, url),
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
