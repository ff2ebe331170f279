import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import {
  findRegistrationToken,
  listRegistrationTokens,
  type RegistrationTokenRow,
} from "../../../storage/registration-tokens.ts";
import type { Administrator } from "../change-authority.ts";
import { commitAct, type ActEdges } from "./act.ts";

type Reads = Pick<Edges, "db">;

const TOKEN = /^[A-Za-z0-9._~-]{1,64}$/;

export interface TokenOrder {
  /** Made up where it is left to the server. */
  token?: string;
  /** Of one that is made up. */
  length: number;
  usesAllowed: number | null;
  expiresTs: number | null;
}

export const searchTokens = (
  { db }: Reads,
  isValid: boolean | null,
): Promise<RegistrationTokenRow[]> => listRegistrationTokens(db, isValid);

/** @throws MatrixError M_NOT_FOUND */
export async function readToken(
  { db }: Reads,
  token: string,
): Promise<RegistrationTokenRow> {
  const row = TOKEN.test(token)
    ? await findRegistrationToken(db, token)
    : undefined;
  if (row) return row;
  throw new MatrixError("M_NOT_FOUND", "There is no such registration token.");
}

/** Makes a token by which somebody may register; its uses are counted by the database. */
export async function makeToken(
  edges: Reads & ActEdges & Pick<Edges, "random">,
  by: Administrator,
  order: TokenOrder,
): Promise<RegistrationTokenRow> {
  const { usesAllowed, expiresTs } = order;
  const token =
    order.token ?? edges.random.token(order.length).slice(0, order.length);
  if (!TOKEN.test(token)) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "A token has 1 to 64 of A-Z, a-z, 0-9, and . _ ~ -",
    );
  }
  assertToCome(edges, expiresTs);
  if (await findRegistrationToken(edges.db, token)) throw isThere();
  const createdTs = edges.now();
  const row = { token, usesAllowed, expiresTs, createdTs };
  await commitAct(
    edges,
    by,
    about({ uses_allowed: usesAllowed, expiry_time: expiresTs }),
    { rows: { registrationTokens: [row] } },
  );
  // Of two that made it at once, one was the first.
  const made = await readToken(edges, token);
  const isOurs =
    made.createdTs === createdTs &&
    made.usesAllowed === usesAllowed &&
    made.expiresTs === expiresTs;
  if (!isOurs) throw isThere();
  return made;
}

export async function changeToken(
  edges: Reads & ActEdges,
  by: Administrator,
  token: string,
  change: { usesAllowed?: number | null; expiresTs?: number | null },
): Promise<RegistrationTokenRow> {
  await readToken(edges, token);
  assertToCome(edges, change.expiresTs ?? null);
  const { usesAllowed, expiresTs } = change;
  await commitAct(
    edges,
    by,
    about({
      ...(usesAllowed !== undefined && { uses_allowed: usesAllowed }),
      ...(expiresTs !== undefined && { expiry_time: expiresTs }),
    }),
    { rows: { registrationTokenChanges: [{ token, ...change }] } },
  );
  return readToken(edges, token);
}

export async function removeToken(
  edges: Reads & ActEdges,
  by: Administrator,
  token: string,
): Promise<void> {
  await readToken(edges, token);
  await commitAct(edges, by, about({ removed: true }), {
    rows: { removedRegistrationTokens: [{ token }] },
  });
}

/** A token is a secret: no record holds it. */
const about = (details: Record<string, number | boolean | null>) => ({
  target: "registration token",
  details,
});

function assertToCome(
  { now }: Pick<Edges, "now">,
  expiresTs: number | null,
): void {
  if (expiresTs === null || expiresTs > now()) return;
  throw new MatrixError("M_INVALID_PARAM", "That time is over.");
}

const isThere = (): MatrixError =>
  new MatrixError("M_INVALID_PARAM", "There is such a token already.");
