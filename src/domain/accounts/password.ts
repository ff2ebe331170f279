import { createHmac } from "node:crypto";
import type { Edges, Settings } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";

type Needs = Pick<Edges, "passwordHasher"> & {
  settings: Pick<Settings, "password">;
};

/** The password as argon2 gets it: NFKC, and keyed by a pepper that the database does not hold. */
function prepare({ settings }: Needs, password: string): string {
  return createHmac("sha256", settings.password.pepper)
    .update(password.normalize("NFKC"), "utf8")
    .digest("base64");
}

export const hashPassword = (edges: Needs, password: string): Promise<string> =>
  edges.passwordHasher.hash(prepare(edges, password));

/** Nobody's: argon2id as we make it, of a text that is no prepared password. */
const DUMMY =
  "$argon2id$v=19$m=19456,t=2,p=1$lpQu6zAcqPdO41nEQJJrAg$4BdiomzlqArWdrGuDweWKRVvshPST5VhaPAIl55jwDw";

/**
 * Whether this is the password. Without a hash (no such user, or no password) it
 * costs the same and says no, so that time tells nobody who exists.
 */
export async function isPassword(
  edges: Needs,
  stored: string | null,
  password: string,
): Promise<boolean> {
  const isRight = await edges.passwordHasher.verify(
    stored ?? DUMMY,
    prepare(edges, password),
  );
  return stored !== null && isRight;
}

/** Throws `M_WEAK_PASSWORD`. Any text of any length up to 512 bytes is allowed otherwise. */
export function assertStrongPassword(
  { password: { minimumLength } }: Pick<Settings, "password">,
  password: string,
): void {
  if ([...password.normalize("NFKC")].length < minimumLength) {
    throw new MatrixError(
      "M_WEAK_PASSWORD",
      `A password needs at least ${minimumLength} characters.`,
    );
  }
  if (Buffer.byteLength(password) > 512) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "A password may have at most 512 bytes.",
    );
  }
}
