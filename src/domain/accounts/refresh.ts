import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  findRefreshToken,
  listTokens,
  listUsableRefreshTokens,
  type RefreshRow,
} from "../../storage/sessions.ts";
import { findUser } from "../../storage/users.ts";
import type { SessionEdges } from "./open-session.ts";
import { claimTurns } from "./refresh-turn.ts";
import { hashToken, makeTokens, type GivenTokens } from "./tokens.ts";
import { createIsWiped, WIPED } from "./wiped-devices.ts";

const MAX_ATTEMPTS = 20;
/** A session that nobody used for so long has to be opened anew; each refresh begins the time again. */
const REFRESH_TOKEN_MS = 90 * 24 * 60 * 60 * 1000;

/**
 * New tokens for a refresh token. It stays valid until what it was given is
 * used; used again after that, somebody else has it, and the session ends.
 * https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens
 */
export async function refreshSession(
  edges: SessionEdges,
  refreshToken: string,
): Promise<GivenTokens> {
  const tokenHash = hashToken(refreshToken);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const row = await findRefreshToken(edges.db, tokenHash);
    if (!row) throw unknownToken(await isWiped(edges, tokenHash));
    await assertUsable(edges.db, row.userId);
    if (row.isNextUsed) {
      if (await endSession(edges, tokenHash, row)) throw endedSession();
      continue;
    }
    if (row.createdTs + REFRESH_TOKEN_MS <= edges.now()) throw expiredToken();
    const given = await rotate(edges, tokenHash, row);
    if (given) return given;
  }
  throw unknownToken();
}

/** Undefined where a twin was first: what holds now has to be read again. */
async function rotate(
  edges: SessionEdges,
  tokenHash: Buffer,
  row: RefreshRow,
): Promise<GivenTokens | undefined> {
  const { userId, deviceId, accessTokenId, nextTokenId } = row;
  const { given, row: next } = await makeTokens(edges, userId, deviceId, true);
  // A replacement that never arrived goes whole, and older access tokens go.
  const lost = nextTokenId === null ? [] : [{ tokenId: nextTokenId }];
  const standing = await listTokens(edges.db, userId, [deviceId]);
  const outdated = standing
    .map(({ tokenId }) => ({ tokenId }))
    .filter(({ tokenId }) => ![accessTokenId, nextTokenId].includes(tokenId));
  const outcome = await edges.committer.commit({
    positions: 1,
    // Of racing twins one writes the successor.
    idempotency: claimTurns([{ tokenHash, nextHash: row.nextHash }]),
    activeUsers: [userId],
    liveDevices: [{ userId, deviceId }],
    rows: {
      removedTokens: lost,
      removedAccessTokens: outdated,
      usedRefreshTokens: [{ tokenHash, nextHash: next.refresh! }],
      newTokens: [next],
    },
  });
  if (outcome.status === "duplicate") return undefined;
  if (outcome.status === "conflict") throw unknownToken();
  await edges.notifier.revoke(
    [...lost, ...outdated].map(({ tokenId }) => tokenId),
  );
  return given;
}

/**
 * No token of the device is good any more; it stays with its keys, to log in to
 * again. Answers whether it has ended: somebody else may have been first.
 */
async function endSession(
  { committer, db, notifier, trail }: SessionEdges,
  tokenHash: Buffer,
  { userId, deviceId }: RefreshRow,
): Promise<boolean> {
  const usable = await listUsableRefreshTokens(db, userId, deviceId, tokenHash);
  if (usable.length === 0)
    return Boolean(await findRefreshToken(db, tokenHash));
  const tokens = await listTokens(db, userId, [deviceId]);
  trail?.note({
    resource: { type: "user", id: userId },
    before: { device: deviceId },
    result: "denied",
    errcode: "M_UNKNOWN_TOKEN",
  });
  const outcome = await committer.commit({
    positions: 1,
    idempotency: claimTurns(usable),
    rows: { endedSessions: [{ userId, deviceId }] },
    wake: { users: [userId] },
  });
  if (outcome.status !== "committed") return false;
  await notifier.revoke(tokens.map(({ tokenId }) => tokenId));
  return true;
}

async function assertUsable(db: Edges["db"], userId: string): Promise<void> {
  const user = await findUser(db, userId);
  if (!user || (user.isDeactivated && !user.isEnding)) throw unknownToken();
  if (user.isLocked || user.isEnding) {
    throw new MatrixError("M_USER_LOCKED", "This account is locked.", {
      soft_logout: true,
    });
  }
}

const unknownToken = (isOfWiped = false): MatrixError =>
  new MatrixError("M_UNKNOWN_TOKEN", "This refresh token is not valid.", {
    soft_logout: false,
    ...(isOfWiped && WIPED),
  });

/** That it was told is a record of its own: refreshes leave none. */
const isWiped = (
  { committer, db, now, trail }: SessionEdges,
  tokenHash: Buffer,
): Promise<boolean> => {
  const plain = { db, committer: trail?.committer ?? committer };
  return createIsWiped({ ...plain, now })(tokenHash, {});
};

// Its device and keys are still there: the client keeps its data and logs in again.
const softLogout = (message: string): MatrixError =>
  new MatrixError("M_UNKNOWN_TOKEN", message, { soft_logout: true });

const expiredToken = (): MatrixError =>
  softLogout("This refresh token has expired.");

const endedSession = (): MatrixError =>
  softLogout("This refresh token was used before, which ended the session.");
