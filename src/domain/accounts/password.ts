import { createHmac } from "node:crypto";
import { hash, verify } from "@node-rs/argon2";
import type { Settings } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";

type Needs = Pick<Settings, "password">;

// argon2id with 19 MiB and two passes, as OWASP and NIST ask at least.
const OPTIONS = {
  algorithm: 2,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
} as const;

/** The password as argon2 gets it: NFKC, and keyed by a pepper that the database does not hold. */
function prepare({ password: { pepper } }: Needs, password: string): string {
  return createHmac("sha256", pepper)
    .update(password.normalize("NFKC"), "utf8")
    .digest("base64");
}

export const hashPassword = (
  settings: Needs,
  password: string,
): Promise<string> => hash(prepare(settings, password), OPTIONS);

/**
 * Whether this is the password. Without a hash (no such user, or no password) it
 * costs the same and says no, so that time tells nobody who exists.
 */
export async function isPassword(
  settings: Needs,
  stored: string | null,
  password: string,
): Promise<boolean> {
  const isRight = await verify(
    stored ?? (await dummyHash(settings)),
    prepare(settings, password),
  );
  return stored !== null && isRight;
}

let dummy: Promise<string> | undefined;
const dummyHash = (settings: Needs): Promise<string> =>
  (dummy ??= hashPassword(settings, "nobody has this password"));

/** Throws `M_WEAK_PASSWORD`. Any text of any length up to 512 bytes is allowed otherwise. */
export function assertStrongPassword(
  { password: { minimumLength } }: Needs,
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
