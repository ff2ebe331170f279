import { MatrixError } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { checkPassword, userIdFrom } from "./login.ts";
import type { GuessEdges } from "./guesses.ts";
import type { StageCheck } from "./user-interactive.ts";

/**
 * `m.login.password` of the user who asks: nobody else's password will do.
 * @param address whoever tries, for the rate limit
 */
export const passwordStage =
  (edges: GuessEdges, userId: string, address: string): StageCheck =>
  async (auth) => {
    const { password } = auth;
    const user = namedUser(auth);
    if (typeof password !== "string" || user === undefined) {
      throw new MatrixError(
        "M_MISSING_PARAM",
        "The user or the password is missing.",
      );
    }
    if (userIdFrom(edges.settings, user) !== userId) {
      throw new MatrixError("M_FORBIDDEN", "This is not your account.");
    }
    await checkPassword(edges, userId, password, address);
    return {};
  };

/** Old clients name the user beside the password, new ones in an identifier. */
function namedUser({ identifier, user }: JsonObject): string | undefined {
  const named =
    isJsonObject(identifier) && identifier["type"] === "m.id.user"
      ? identifier["user"]
      : user;
  return typeof named === "string" ? named : undefined;
}
