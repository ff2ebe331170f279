import type { AuditDraft } from "../../storage/audit-draft.ts";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { parseNewUserId } from "../../core/ids.ts";
import { findUser } from "../../storage/users.ts";
import type { WriteRows } from "../../storage/write.ts";
import { systemAdminRow } from "../admin/first-admin.ts";
import { profileContext } from "./member-profile.ts";
import {
  sessionRows,
  type OpenedSession,
  type SessionEdges,
  type SessionWish,
} from "./open-session.ts";
import { assertStrongPassword, hashPassword } from "./password.ts";
import { checkFieldValue } from "./profile-field.ts";

export type RegisterEdges = SessionEdges & Pick<Edges, "passwordHasher">;

export interface NewAccount {
  /** Made up where the client leaves it to the server. */
  localpart?: string;
  /** Null for an account that cannot log in by password. */
  password: string | null;
  /** Who made it, where it is to run the server. */
  systemAdminBy?: string;
  isGuest?: boolean;
  /** The server's own, whose name is kept for it. */
  isServers?: boolean;
  displayName?: string;
  userType?: string;
  /** A use of it is taken in the same commit. */
  registrationToken?: string;
  /** Records of an act of power that made the account. */
  audit?: readonly AuditDraft[];
  /** What commits with it. */
  rows?: Partial<WriteRows>;
}

/** Throws `M_INVALID_USERNAME`, `M_USER_IN_USE`. */
export async function assertAvailable(
  edges: Pick<Edges, "db" | "settings">,
  localpart: string,
): Promise<string> {
  const userId = parseNewUserId(localpart, edges.settings.serverName);
  const isReserved = localpart === edges.settings.serverNotices.localpart;
  if (isReserved || (await findUser(edges.db, userId))) {
    throw new MatrixError("M_USER_IN_USE", "This user name is taken.");
  }
  return userId;
}

/**
 * Makes an account, and its first session where one is wished for. Of racing
 * twins the database lets one win.
 */
export async function registerAccount(
  edges: RegisterEdges,
  account: NewAccount,
  wish: SessionWish | null,
): Promise<OpenedSession | { userId: string }> {
  const { password } = account;
  if (password !== null) assertStrongPassword(edges.settings, password);
  const localpart = account.localpart ?? edges.random.letters(16).toLowerCase();
  const userId = account.isServers
    ? parseNewUserId(localpart, edges.settings.serverName)
    : await assertAvailable(edges, localpart);
  edges.trail?.note({ resource: { type: "user", id: userId } });
  const passwordHash =
    password === null ? null : await hashPassword(edges, password);
  const displayName = account.displayName ?? localpart;
  const isNamed = checkFieldValue("displayname", displayName) === "sets";
  const opened = wish && (await sessionRows(edges, userId, wish));
  const { systemAdminBy } = account;
  const outcome = await edges.committer.commit({
    positions: 1,
    rows: {
      newUsers: [
        {
          userId,
          passwordHash,
          isGuest: account.isGuest ?? false,
          createdTs: edges.now(),
        },
      ],
      ...(account.userType !== undefined && {
        userUpdates: [{ userId, userType: account.userType }],
      }),
      profileFields: isNamed ? [await nameRow(edges, userId, displayName)] : [],
      registrationTokenUses:
        account.registrationToken === undefined
          ? []
          : [{ token: account.registrationToken, nowTs: edges.now() }],
      ...(systemAdminBy !== undefined && {
        roleBindings: [await systemAdminRow(edges, userId, systemAdminBy)],
      }),
      ...opened?.rows,
      ...account.rows,
    },
    ...(systemAdminBy !== undefined && { authority: { version: null } }),
    audit: account.audit ?? [],
    wake: { users: [userId] },
  });
  if (outcome.status === "committed")
    return opened ? opened.session : { userId };
  if (outcome.status === "conflict" && outcome.over === "registration-token") {
    throw new MatrixError(
      "M_FORBIDDEN",
      "This registration token has been used up.",
    );
  }
  throw new MatrixError("M_USER_IN_USE", "This user name is taken.");
}

async function nameRow(
  { keyring }: Pick<Edges, "keyring">,
  userId: string,
  displayName: string,
): Promise<WriteRows["profileFields"][number]> {
  const name = "displayname";
  const context = profileContext(userId, name);
  const text = JSON.stringify(displayName);
  return {
    at: 0,
    userId,
    name,
    ...(await keyring.sealForUser(userId, context, text)),
  };
}
