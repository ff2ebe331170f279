import { MatrixError } from "../../core/errors.ts";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../core/json.ts";
import type { GuessEdges } from "./guesses.ts";
import { checkPassword, userIdFrom } from "./login.ts";
import type { Requester } from "./requester.ts";
import { authorise, type UiaOutcome } from "./user-interactive.ts";
import type { Edges } from "../../edges.ts";

/** Who asks, with what of user-interactive authentication the request holds. */
export interface Reauthentication {
  requester: Requester;
  /** Whoever asks, for the rate limit. */
  address: string;
  auth: JsonObject | undefined;
}

/**
 * Asks for the requester's own password before an operation that a thief of a token must not do.
 * @param approvedAt the page where whoever has no password has this approved in its place
 */
export function reauthenticate(
  edges: GuessEdges & Pick<Edges, "random">,
  { requester, address, auth }: Reauthentication,
  operation: readonly JsonValue[],
  approvedAt?: string,
): Promise<UiaOutcome> {
  const { userId, deviceId } = requester;
  return authorise(
    edges,
    {
      operation: [userId, deviceId, ...operation],
      flows: [[approvedAt === undefined ? "m.login.password" : "m.oauth"]],
      ...(approvedAt !== undefined && {
        params: { "m.oauth": { url: approvedAt } },
      }),
      stages: {
        "m.oauth": notApproved,
        "m.login.password": async (stage) => {
          const { user, password } = credentialsIn(stage);
          if (userIdFrom(edges.settings, user) !== userId) {
            throw new MatrixError(
              "M_FORBIDDEN",
              "The password of this account's own user is needed.",
            );
          }
          await checkPassword(edges, userId, password, address);
          return {};
        },
      },
    },
    auth,
  );
}

/** What was approved is asked for nothing any more: whoever comes here came too early. */
const notApproved = (): Promise<never> =>
  Promise.reject(
    new MatrixError("M_FORBIDDEN", "This has not been approved yet."),
  );

function credentialsIn(stage: JsonObject): { user: string; password: string } {
  const { identifier, user: legacyUser, password } = stage;
  const isOther =
    isJsonObject(identifier) && identifier["type"] !== "m.id.user";
  const user = isJsonObject(identifier) ? identifier["user"] : legacyUser;
  if (isOther || typeof user !== "string" || typeof password !== "string") {
    throw new MatrixError(
      "M_MISSING_PARAM",
      "A user id (m.id.user) and a password are needed.",
    );
  }
  return { user, password };
}
