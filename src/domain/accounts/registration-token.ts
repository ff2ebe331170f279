import { MatrixError } from "../../core/errors.ts";
import { findRegistrationToken } from "../../storage/registration-tokens.ts";
import { guess, type GuessEdges } from "./guesses.ts";

/** Whether somebody may register with this token now. */
export async function isRegistrationToken(
  edges: GuessEdges,
  token: string,
  address: string,
): Promise<boolean> {
  try {
    await assertRegistrationToken(edges, token, address);
    return true;
  } catch (error) {
    if (error instanceof MatrixError && error.errcode === "M_UNAUTHORIZED")
      return false;
    throw error;
  }
}

/** Throws `M_UNAUTHORIZED`; wrong tokens of one address are counted. */
export function assertRegistrationToken(
  edges: GuessEdges,
  token: string,
  address: string,
): Promise<void> {
  return guess(edges, [address], async () => {
    const row = token.includes("\0")
      ? undefined
      : await findRegistrationToken(edges.db, token);
    const { completed = 0, usesAllowed = null, expiresTs = null } = row ?? {};
    const isSpent = usesAllowed !== null && completed >= usesAllowed;
    const isExpired = expiresTs !== null && expiresTs <= edges.now();
    if (!row || isSpent || isExpired) {
      throw new MatrixError(
        "M_UNAUTHORIZED",
        "This registration token is not valid.",
      );
    }
  });
}
