import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import {
  completeUiaStage,
  findUiaSession,
  insertUiaSession,
  takeUiaSession,
} from "../../storage/uia-sessions.ts";

/** Checks one stage; throws a `MatrixError` that the client is shown. May leave details for the end. */
export type StageCheck = (auth: JsonObject) => Promise<Record<string, string>>;

export interface UiaDemand {
  /** What is being authorised, with whom and what it is about: a session serves nothing else. */
  operation: readonly JsonValue[];
  flows: readonly (readonly string[])[];
  stages: Readonly<Record<string, StageCheck>>;
  params?: JsonObject;
}

export type UiaOutcome =
  | { status: "authorised"; details: Record<string, string> }
  /** To be answered with 401 and this body. */
  | { status: "challenged"; body: JsonObject };

type Needs = Pick<Edges, "db" | "now" | "random">;

const LIFETIME_MS = 10 * 60 * 1000;

/**
 * User-interactive authentication, shared by all processes. No secret of a stage
 * is ever stored.
 * https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api
 */
export async function authorise(
  edges: Needs,
  demand: UiaDemand,
  auth: JsonObject | undefined,
): Promise<UiaOutcome> {
  const operation = createHash("sha256")
    .update(JSON.stringify(demand.operation))
    .digest("base64");
  const nowTs = edges.now();
  const sessionId = auth?.["session"];
  const standing =
    typeof sessionId === "string"
      ? await findUiaSession(edges.db, sessionId, nowTs - LIFETIME_MS)
      : undefined;
  if (typeof sessionId === "string" && standing?.operation !== operation) {
    return challenge(await start(edges, operation, nowTs), demand, [], {
      errcode: "M_UNKNOWN",
      error:
        "This authentication session is not known, or it is for something else.",
    });
  }
  const session = standing?.sessionId ?? (await start(edges, operation, nowTs));
  let completed = standing?.completed ?? [];
  const type = auth?.["type"];
  if (auth && typeof type === "string") {
    const check = demand.flows.some((flow) => flow.includes(type))
      ? demand.stages[type]
      : undefined;
    if (!check) {
      return challenge(session, demand, completed, {
        errcode: "M_UNRECOGNIZED",
        error: "This way to authenticate is not offered here.",
      });
    }
    try {
      completed = await completeUiaStage(
        edges.db,
        session,
        type,
        await check(auth),
      );
    } catch (error) {
      if (
        !(error instanceof MatrixError) ||
        error.errcode === "M_LIMIT_EXCEEDED"
      )
        throw error;
      return challenge(session, demand, completed, {
        errcode: error.errcode,
        error: error.message,
      });
    }
  }
  if (
    !demand.flows.some((flow) =>
      flow.every((stage) => completed.includes(stage)),
    )
  ) {
    return challenge(session, demand, completed, {});
  }
  const taken = await takeUiaSession(edges.db, session);
  if (!taken) {
    throw new MatrixError(
      "M_FORBIDDEN",
      "This authentication was used already.",
    );
  }
  return { status: "authorised", details: taken.details };
}

async function start(
  edges: Needs,
  operation: string,
  nowTs: number,
): Promise<string> {
  const sessionId = edges.random.token(24);
  await insertUiaSession(
    edges.db,
    { sessionId, operation, completed: [], details: {}, createdTs: nowTs },
    nowTs - LIFETIME_MS,
  );
  return sessionId;
}

function challenge(
  session: string,
  { flows, params = {} }: UiaDemand,
  completed: readonly string[],
  error: JsonObject,
): UiaOutcome {
  return {
    status: "challenged",
    body: {
      session,
      flows: flows.map((stages) => ({ stages: [...stages] })),
      params,
      completed: [...completed],
      ...error,
    },
  };
}
