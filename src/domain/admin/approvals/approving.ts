import { MatrixError } from "../../../core/errors.ts";
import type { Demand, Edges, Noted } from "../../../edges.ts";
import {
  countPendingApprovals,
  findApproval,
  findStandingApproval,
  type ApprovalRow,
} from "../../../storage/approvals.ts";
import { readAuthority } from "../../../storage/authority.ts";
import type { RecordingCommitter, WriteRows } from "../../../storage/write.ts";
import type { Requester } from "../../accounts/requester.ts";
import type { Grounds } from "../administrator.ts";
import { factsOf, isPermission, type Permission } from "../permissions.ts";
import { hasApprover, isApprover, type ApproverEdges } from "./approvers.ts";
import { hashOfAsked, previewOf, type Asked } from "./asked.ts";
import { matterOf, REQUEST_CONTEXT } from "./matter.ts";
import { isRequired } from "./required.ts";

type Needs = ApproverEdges & Pick<Edges, "now" | "random" | "settings">;

const MOST_PENDING = 100;

/** What is asked for, and by whom. */
export interface ApprovalQuestion {
  requester: Requester;
  asked: Asked;
  grounds: Grounds;
  /** Throws what keeps it from being done as things are: nobody is asked for that. */
  validate?: () => Promise<void>;
}

/** What a request may say of itself while it asks. */
export interface Telling {
  committer: RecordingCommitter;
  note(noted: Noted): void;
}

/**
 * The second person's part in one request: what of it takes one, and the approval that it
 * has. An approval is used up by the first write of the request that commits.
 */
export class Approving {
  readonly #edges: Needs;
  readonly #question: ApprovalQuestion;
  readonly #demanded = new Set<Permission>();
  #use: { approvalId: string; version: number } | undefined;
  #isSettled = false;

  constructor(edges: Needs, question: ApprovalQuestion) {
    this.#edges = edges;
    this.#question = question;
  }

  /** What goes with the first write. */
  get rows(): Pick<Partial<WriteRows>, "approvalUses"> {
    return this.#use && !this.#isSettled ? { approvalUses: [this.#use] } : {};
  }

  /** The first write has committed. */
  settle(): void {
    this.#isSettled = true;
  }

  /**
   * Passes where what is demanded takes nobody else, or somebody else has approved it.
   * @throws MatrixError ORG_MYELIN_APPROVAL_REQUIRED
   */
  async demand(
    { permissions, userId, roomId }: Demand,
    telling: Telling,
  ): Promise<void> {
    const { required } = this.#edges.settings.approvals;
    const due = permissions
      .filter(isPermission)
      .filter(
        (each) => isRequired(required, each) && !this.#demanded.has(each),
      );
    if (due.length === 0) return;
    const all = [...new Set([...this.#demanded, ...due])].sort();
    const resource = { userId: userId ?? null, roomId: roomId ?? null };
    await this.#obtain(all, resource, telling);
    for (const each of due) this.#demanded.add(each);
  }

  /**
   * Looks again at an approval that a write has lost.
   * @throws MatrixError ORG_MYELIN_APPROVAL_REQUIRED where it does not hold any more
   */
  async renew(): Promise<void> {
    const { approvalId = "" } = this.#use ?? {};
    const { version } = await readAuthority(this.#edges.db);
    const row = await findApproval(this.#edges.db, approvalId);
    if (!row || row.state !== "approved" || !(await this.#holds(row)))
      throw approvalRequired(
        approvalId,
        "This approval does not hold any more: it was used, or who gave it may not give it now. Send the request again to ask for another.",
      );
    this.#use = { approvalId, version };
  }

  async #obtain(
    permissions: readonly Permission[],
    resource: Pick<ApprovalRow, "userId" | "roomId">,
    telling: Telling,
  ): Promise<void> {
    const { db, keyring, settings, now } = this.#edges;
    const { requester, asked } = this.#question;
    const { userId: requestedBy } = requester;
    const requestHash = await hashOfAsked(keyring, requestedBy, asked);
    // Read first: what is decided by it is held against it when it commits.
    const { version, isSealed } = await readAuthority(db);
    if (!isSealed && permissions.every(isOfSecurity)) return;
    const standing = await findStandingApproval(db, requestedBy, requestHash);
    const isWhole =
      standing !== undefined &&
      permissions.every((each) => standing.permissions.includes(each));
    const isApproved = standing?.state === "approved";
    if (isWhole && isApproved && (await this.#holds(standing))) {
      const { approvalId } = standing;
      this.#use = { approvalId, version };
      telling.note({ approvalId });
      return;
    }
    const wanted = {
      ...{ requestedBy, permissions: [...permissions], ...resource },
      requestedTs: now(),
    };
    const { whenAlone } = settings.approvals;
    const isAlone =
      whenAlone === "allow" &&
      !(await hasApprover(this.#edges, matterOf(wanted)));
    if (isAlone) {
      telling.note({ approvalId: ALONE });
      return;
    }
    if (isWhole && !isApproved) refuse(standing.approvalId, telling);
    await this.#ask({ ...wanted, requestHash }, standing, telling);
  }

  /** Whether who approved it may approve it still. */
  #holds(row: ApprovalRow): Promise<boolean> {
    return row.decidedBy === null
      ? Promise.resolve(false)
      : isApprover(this.#edges, matterOf(row), {
          userId: row.decidedBy as Requester["userId"],
        });
  }

  async #ask(
    wanted: Pick<
      ApprovalRow,
      "requestedBy" | "permissions" | "requestedTs" | "userId" | "roomId"
    > & { requestHash: string },
    standing: ApprovalRow | undefined,
    telling: Telling,
  ): Promise<never> {
    const { db, keyring, random, settings } = this.#edges;
    const { asked, grounds, validate } = this.#question;
    const { requestedBy, requestHash } = wanted;
    await validate?.();
    if ((await countPendingApprovals(db, requestedBy)) >= MOST_PENDING) {
      throw new MatrixError(
        "M_RESOURCE_LIMIT_EXCEEDED",
        `${MOST_PENDING} requests of yours wait for approval: withdraw some of them first.`,
      );
    }
    const approvalId = random.token(12);
    const told = JSON.stringify({
      ...previewOf(asked),
      ...groundsJson(grounds),
    });
    const sealed = await keyring.sealForUser(
      requestedBy,
      REQUEST_CONTEXT,
      told,
    );
    telling.note({ ...REFUSED, approvalId });
    const outcome = await telling.committer.commit({
      positions: 1,
      activeUsers: [requestedBy],
      rows: {
        approvals: [
          {
            ...wanted,
            approvalId,
            waitMs: settings.approvals.expireMs,
            replaces: standing?.approvalId ?? null,
            ...sealed,
          },
        ],
      },
      audit: [],
    });
    if (outcome.status === "committed") throw approvalRequired(approvalId);
    const other = await findStandingApproval(db, requestedBy, requestHash);
    if (!other) throw changedMeanwhile();
    return refuse(other.approvalId, telling);
  }
}

/** Until the set-up is over, its owner gives out the first roles alone. */
const isOfSecurity = (permission: Permission): boolean =>
  factsOf(permission).side === "security";

/** Stands in a record where there was nobody to approve it. */
const ALONE = "alone";

/** As the record tells it that nothing was done yet. */
const REFUSED = {
  result: "denied",
  errcode: "ORG_MYELIN_APPROVAL_REQUIRED",
} as const satisfies Noted;

const groundsJson = ({ caseId, reason }: Grounds) => ({
  ...(caseId !== undefined && { case_id: caseId }),
  ...(reason !== undefined && { reason }),
});

function refuse(approvalId: string, telling: Telling): never {
  telling.note({ ...REFUSED, approvalId });
  throw approvalRequired(approvalId);
}

const approvalRequired = (
  approvalId: string,
  message = "Somebody else has to approve this first. Send the same request again when they have.",
): MatrixError =>
  new MatrixError("ORG_MYELIN_APPROVAL_REQUIRED", message, {
    approval_id: approvalId,
  });

const changedMeanwhile = (): MatrixError =>
  new MatrixError(
    "M_UNKNOWN",
    "What this request waits for changed meanwhile. Send it again.",
  );
