import { createHmac, timingSafeEqual } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { insertNonce, takeNonce } from "../../storage/users.ts";
import { createAccount } from "./create-account.ts";
import { guess, type GuessEdges } from "./guesses.ts";
import type { OpenedSession } from "./open-session.ts";
import type { RegisterEdges } from "./register.ts";
import { hashToken } from "./tokens.ts";

const NONCE_MS = 60_000;

/** A registration that is authorised by a keyed hash of itself. */
export interface SignedRegistration {
  nonce: string;
  username: string;
  password: string;
  isAdmin: boolean;
  userType?: string;
  displayName?: string;
  /** HMAC-SHA1 in hexadecimal digits. */
  mac: string;
}

/** A number that one registration may use once, for a minute. */
export async function createNonce(
  edges: Pick<Edges, "db" | "now" | "random" | "settings">,
): Promise<string> {
  getSecret(edges.settings);
  const nonce = edges.random.token();
  const nowTs = edges.now();
  await insertNonce(edges.db, hashToken(nonce), nowTs + NONCE_MS, nowTs);
  return nonce;
}

/** Makes an account for whoever knows the shared secret; it may be an administrator's. */
export async function registerBySharedSecret(
  edges: RegisterEdges & GuessEdges,
  form: SignedRegistration,
  origin: { address: string; requestId: string },
): Promise<OpenedSession> {
  const secret = getSecret(edges.settings);
  if (!(await takeNonce(edges.db, hashToken(form.nonce), edges.now()))) {
    throw new MatrixError("M_UNKNOWN", "The nonce is not known.");
  }
  await guess(edges, [origin.address], async () => {
    if (!isSigned(form, secret)) {
      throw new MatrixError("M_FORBIDDEN", "The MAC is wrong.");
    }
  });
  const { password, isAdmin, displayName, userType } = form;
  const opened = await createAccount(
    edges,
    {
      password,
      isAdmin,
      localpart: form.username.toLowerCase(),
      ...(displayName !== undefined && { displayName }),
      ...(userType !== undefined && { userType }),
      actor: "shared secret",
      requestId: origin.requestId,
    },
    { canRefresh: false },
  );
  return opened as OpenedSession;
}

function isSigned(form: SignedRegistration, secret: string): boolean {
  const { nonce, username, password, isAdmin, userType } = form;
  const parts = [nonce, username, password, isAdmin ? "admin" : "notadmin"];
  if (userType !== undefined) parts.push(userType);
  const right = createHmac("sha1", secret).update(parts.join("\0")).digest();
  const given = Buffer.from(form.mac, "hex");
  return given.length === right.length && timingSafeEqual(given, right);
}

function getSecret({ registration }: Edges["settings"]): string {
  if (registration.sharedSecret !== undefined) return registration.sharedSecret;
  throw new MatrixError(
    "M_UNKNOWN",
    "Registration by shared secret is not switched on.",
  );
}
