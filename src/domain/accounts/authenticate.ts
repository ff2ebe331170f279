import type { Edges } from "../../edges.ts";
import { MatrixError, withoutStack } from "../../core/errors.ts";
import type { UserId } from "../../core/ids.ts";
import {
  listSessions,
  noteTokenUsed,
  type SessionRow,
} from "../../storage/sessions.ts";
import { LONGEST_TRUST_MS } from "../../storage/notifier.ts";
import { gather } from "../../util/gather.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import {
  authenticateAdminToken,
  isAdminToken,
} from "../admin/authenticate-token.ts";
import type { Authenticate, Authenticated } from "./requester.ts";
import { noteLastSeen } from "./last-seen.ts";
import { accountExpired } from "./login.ts";
import { hashToken } from "./tokens.ts";
import { createIsWiped, WIPED } from "./wiped-devices.ts";

type Needs = Pick<
  Edges,
  "committer" | "db" | "keyring" | "memory" | "notifier" | "now" | "log"
>;

interface Known {
  session: SessionRow;
  /** When it was asked for, by this process's clock. */
  sinceTs: number;
}

const sessions = slot(() => new WeightedCache<string, Known>(100_000, () => 1));
const revocations = slot(
  () => new WeightedCache<number, true>(100_000, () => 1),
);

/**
 * Whom an access token speaks for. What is known is trusted for a second at the
 * most, and not at all once a process has answered that it is revoked.
 */
export function createAuthenticate(edges: Needs): Authenticate {
  const known = edges.memory.of(sessions);
  const revoked = edges.memory.of(revocations);
  edges.notifier.onRevoked((tokenIds) => {
    for (const tokenId of tokenIds) revoked.set(tokenId, true);
  });
  // Nobody could tell this process of revocations meanwhile.
  edges.notifier.onGap(() => known.clear());
  const findSession = gather((keys: readonly string[]) =>
    mapSessions(edges.db, keys),
  );
  const isWiped = createIsWiped(edges);
  return async (token, origin): Promise<Authenticated> => {
    if (isAdminToken(token))
      return authenticateAdminToken(edges, token, origin);
    const tokenHash = hashToken(token);
    const key = tokenHash.toString("base64");
    let entry = known.get(key);
    if (
      !entry ||
      isStale(entry, edges.now()) ||
      revoked.get(entry.session.tokenId)
    ) {
      const sinceTs = edges.now();
      const session = await findSession(key);
      if (!session) {
        known.delete(key);
        const also = (await isWiped(tokenHash, origin)) ? WIPED : {};
        throw withoutStack(
          () =>
            new MatrixError(
              "M_UNKNOWN_TOKEN",
              "This access token is not valid.",
              { soft_logout: false, ...also },
            ),
        );
      }
      // It came of a refresh, whose token is spent from now on.
      if (session.expiresTs !== null && !session.isUsed)
        await noteTokenUsed(edges.db, session.tokenId);
      entry = { session, sinceTs };
      known.set(key, entry);
    }
    const { session } = entry;
    assertUsable(session, edges.now());
    noteLastSeen(edges, session, origin);
    return {
      userId: session.userId as UserId,
      deviceId: session.deviceId,
      tokenId: session.tokenId,
      ip: origin.ip,
      isGuest: session.isGuest,
      isSuspended: session.isSuspended,
      isLocked: session.isLocked,
      ...(session.isShadowBanned && { isShadowBanned: true }),
      ...(session.actedBy !== null && { actedBy: session.actedBy }),
      ...limitOf(session),
    };
  };
}

/** What administrators set for a user; nothing a second is no limit at all. */
function limitOf({
  messagesPerSecond: perSecond,
  burstCount,
}: SessionRow): Pick<Authenticated, "messageLimit"> {
  if (perSecond === null) return {};
  if (perSecond === 0) return { messageLimit: null };
  return { messageLimit: { perSecond, burst: Math.max(1, burstCount ?? 1) } };
}

async function mapSessions(
  db: Edges["db"],
  keys: readonly string[],
): Promise<Map<string, SessionRow>> {
  const hashes = keys.map((key) => Buffer.from(key, "base64"));
  const rows = await listSessions(db, hashes);
  return new Map(
    rows.map(({ tokenHash, ...row }) => [tokenHash.toString("base64"), row]),
  );
}

/** A clock that was set back makes nothing young again. */
const isStale = ({ sinceTs }: Known, nowTs: number): boolean =>
  Math.abs(nowTs - sinceTs) >= LONGEST_TRUST_MS;

function assertUsable(session: SessionRow, nowTs: number): void {
  if (session.isDeactivated) {
    throw new MatrixError(
      "M_UNKNOWN_TOKEN",
      "This account has been deactivated.",
    );
  }
  if (session.accountExpiresTs !== null && session.accountExpiresTs <= nowTs)
    throw accountExpired();
  if (session.expiresTs !== null && session.expiresTs <= nowTs) {
    throw new MatrixError("M_UNKNOWN_TOKEN", "This access token has expired.", {
      soft_logout: true,
    });
  }
}
