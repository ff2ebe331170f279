import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { readAuthority, type AuthorityRow } from "../../storage/authority.ts";
import type { WriteRows } from "../../storage/write.ts";
import type { Requester } from "../accounts/requester.ts";
import { makeAnew } from "../rooms/make-anew.ts";
import { LostRace } from "../rooms/room-queue.ts";
import { auditRecord, type Act } from "./audit-record.ts";
import { checkAct } from "./can.ts";
import { refusalOf } from "./refusal.ts";
import type { Actor } from "./permission.ts";

export type AuthorityEdges = Pick<
  Edges,
  | "committer"
  | "db"
  | "keyring"
  | "memory"
  | "nids"
  | "now"
  | "policies"
  | "asker"
>;

/** Who changes something by a permission. */
export interface Administrator {
  requester: Requester;
  actor: Actor;
}

export interface AuthorityChange<Answer> {
  rows: Partial<WriteRows>;
  /** Who must have an account when it commits. */
  users?: readonly string[];
  /** Whose members are told that something changed. */
  rooms?: readonly number[];
  act: Omit<Act, "actor" | "requestId">;
  answer: Answer;
}

/**
 * Changes who may do what, by rules that hold when it commits: what they were held
 * against is compared there, and where it is another by now, all is decided anew, also
 * whether who asks may.
 */
export function changeAuthority<Answer>(
  edges: AuthorityEdges,
  by: Administrator | "command line",
  decide: (at: AuthorityRow) => Promise<AuthorityChange<Answer>>,
): Promise<Answer> {
  return makeAnew(async () => {
    const at = await readAuthority(edges.db);
    if (by !== "command line") await assertStill(edges, by);
    const { rows, users = [], rooms = [], act, answer } = await decide(at);
    const who =
      by === "command line"
        ? { actor: by }
        : { actor: by.actor.userId, requestId: by.actor.requestId };
    const outcome = await edges.committer.commit({
      positions: 1,
      authority: { version: at.version },
      activeUsers: [
        ...users,
        ...(by === "command line" ? [] : [by.requester.userId]),
      ],
      rows,
      wake: { rooms },
      audit: [auditRecord({ ...act, ...who }, edges.now())],
    });
    if (outcome.status === "committed") return answer;
    if (outcome.status === "conflict" && outcome.over === "inactive-user")
      throw noAccount();
    throw new LostRace("Who may do what changed.");
  });
}

/** Something that is done to who may do what. */
export interface AuthorityAct<
  E extends AuthorityEdges,
  About extends readonly unknown[],
  Answer,
> {
  (edges: E, by: Administrator, ...about: About): Promise<Answer>;
  /** Throws what keeps it from being done as things are, and does nothing. */
  validate(edges: E, by: Administrator, ...about: About): Promise<void>;
}

export function authorityAct<
  E extends AuthorityEdges,
  About extends readonly unknown[],
  Answer,
>(
  decide: (
    at: AuthorityRow,
    edges: E,
    by: Administrator,
    ...about: About
  ) => Promise<AuthorityChange<Answer>>,
): AuthorityAct<E, About, Answer> {
  const act = (edges: E, by: Administrator, ...about: About) =>
    changeAuthority(edges, by, (at) => decide(at, edges, by, ...about));
  act.validate = async (edges: E, by: Administrator, ...about: About) => {
    await decide(await readAuthority(edges.db), edges, by, ...about);
  };
  return act;
}

export const noAccount = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "There is no such account here.");

async function assertStill(
  edges: AuthorityEdges,
  { requester, actor }: Administrator,
): Promise<void> {
  const { permission } = actor;
  const verdict = await checkAct(edges, requester, permission, {});
  if (!verdict.isAllowed) throw refusalOf(permission, verdict);
}
