import type { Demand, Noted, Trail } from "../../edges.ts";
import type { AuditDraft, AuditResult } from "../../storage/audit-draft.ts";
import type {
  CommitResult,
  RecordedWrite,
  RecordingCommitter,
  WriteRows,
} from "../../storage/write.ts";
import type { Approving } from "./approvals/approving.ts";
import { LostApproval } from "./approvals/lost-approval.ts";

/** What is known of a request and of its outcome. */
export type RequestDraft = AuditDraft;
export type RequestResult = AuditResult;
type Uses = Pick<Partial<WriteRows>, "approvalUses">;

/**
 * The one record of a request. The first write of the request that commits carries it, so
 * that there is no effect without a record and no record of an effect that was not; where
 * none did, it is written by itself before the answer is sent.
 */
export class AuditTrail implements Trail {
  #committer: RecordingCommitter;
  readonly #begin: () => AuditDraft;
  readonly #isOnlyNoted: boolean;
  #noted: Noted | undefined;
  #approving: Approving | undefined;
  #isWritten = false;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param begin what is known of the request by now
   * @param isOnlyNoted whether there is a record only where a use-case noted something
   */
  constructor(
    committer: RecordingCommitter,
    begin: () => AuditDraft,
    isOnlyNoted = false,
  ) {
    this.#committer = committer;
    this.#begin = begin;
    this.#isOnlyNoted = isOnlyNoted;
  }

  /** As it is without the trail, for what commits for several requests. */
  get committer(): RecordingCommitter {
    return this.#committer;
  }

  /** What the request is handled with from here on. */
  begin(committer: RecordingCommitter): void {
    this.#committer = committer;
  }

  note(noted: Noted): void {
    const after = { ...this.#noted?.after, ...noted.after };
    this.#noted = {
      ...{ ...this.#noted, ...noted },
      ...(Object.keys(after).length > 0 && { after }),
    };
  }

  /** What it does may take a second person from here on. */
  approveBy(approving: Approving): void {
    this.#approving = approving;
  }

  async demand(demand: Demand): Promise<void> {
    await this.#approving?.demand(demand, {
      committer: this.carrying,
      note: (noted) => this.note(noted),
    });
  }

  /** Commits with the request's record, unless an earlier write has done so. */
  readonly carrying: RecordingCommitter = {
    commit: ({ audit = [], ...write }) =>
      this.carry(
        audit,
        (records, uses) => this.#commit({ ...write, audit: records }, uses),
        isCommitted,
      ),
  };

  /**
   * Hands the record for one write, where none was written before. What a use-case drafts
   * of its act completes the request's record, also where it is a part of it that takes a
   * permission of its own: that stands there as `act`. Whatever else is drafted is a record
   * of its own, so that nothing that commits later goes without one.
   */
  async carry<T>(
    drafts: readonly AuditDraft[],
    write: (records: readonly AuditDraft[], uses: Uses) => Promise<T>,
    isDone: (outcome: T) => boolean,
  ): Promise<T> {
    const before = this.#turn;
    let end = () => {};
    this.#turn = new Promise<void>((resolve) => (end = resolve));
    await before;
    try {
      const begun = this.#begin();
      const own = this.#complete(begun, "allowed");
      const furtherOf = (draft: AuditDraft) =>
        complete({ ...begun, ...this.#grounds }, draft, begun);
      if (this.#isWritten || !this.#isDue)
        return await write(drafts.map(furtherOf), {});
      const draft =
        drafts.find(({ action }) => action === own.action) ?? drafts[0];
      const record = draft ? complete(own, draft, begun) : own;
      const others = drafts.filter((each) => each !== draft).map(furtherOf);
      const outcome = await this.#whileApproved((uses) =>
        write([record, ...others], uses),
      );
      if (isDone(outcome)) this.#end();
      return outcome;
    } finally {
      end();
    }
  }

  /** Writes the record by itself, unless it was carried. */
  async settle(result: AuditResult, errcode?: string): Promise<void> {
    await this.#turn;
    if (this.#isWritten || !this.#isDue) return;
    const record = {
      ...this.#complete(this.#begin(), result),
      ...(errcode !== undefined && { errcode }),
    };
    const commit = (uses: Uses) =>
      this.#commit({ positions: 0, audit: [record] }, uses);
    const outcome =
      record.result === "allowed"
        ? await this.#whileApproved(commit)
        : await commit({});
    if (!isCommitted(outcome)) throw new TypeError("A record was lost.");
    this.#end();
  }

  /** Writes with the approval that is used; looks at it again where the write lost over it. */
  async #whileApproved<T>(write: (uses: Uses) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await write(this.#approving?.rows ?? {});
      } catch (error) {
        if (!(error instanceof LostApproval)) throw error;
        await this.#approving?.renew();
      }
    }
  }

  async #commit(write: RecordedWrite, uses: Uses): Promise<CommitResult> {
    const isUse = uses.approvalUses !== undefined;
    const outcome = await this.committer.commit(
      isUse ? { ...write, rows: { ...write.rows, ...uses } } : write,
    );
    const isLost = outcome.status === "conflict" && outcome.over === "approval";
    if (isUse && isLost) throw new LostApproval();
    return outcome;
  }

  #end(): void {
    this.#isWritten = true;
    this.#approving?.settle();
  }

  /** Why and by whose leave, which holds for all that the request does. */
  get #grounds(): Pick<AuditDraft, "reason" | "caseId" | "approvalId"> {
    const { reason, caseId, approvalId } = this.#noted ?? {};
    return {
      ...(reason !== undefined && { reason }),
      ...(caseId !== undefined && { caseId }),
      ...(approvalId !== undefined && { approvalId }),
    };
  }

  get #isDue(): boolean {
    return !this.#isOnlyNoted || this.#noted !== undefined;
  }

  #complete(begun: AuditDraft, outcome: AuditResult): AuditDraft {
    const { resource = begun.resource, result = outcome } = this.#noted ?? {};
    const isDone = result === "allowed" && begun.actor.kind === "nobody";
    return {
      ...begun,
      ...this.#noted,
      resource,
      result,
      // Who has proved to be a user acts as that one.
      ...(isDone &&
        resource.type === "user" &&
        resource.id !== undefined && {
          actor: { ...originOf(begun), kind: "user", userId: resource.id },
        }),
    };
  }
}

function complete(
  own: AuditDraft,
  draft: AuditDraft,
  begun: AuditDraft,
): AuditDraft {
  const act = draft.action === own.action ? {} : { act: draft.action };
  const after = { ...act, ...draft.after, ...own.after };
  return {
    ...{ ...own, ...draft, ...whoOf(begun, draft) },
    action: own.action,
    ...(Object.keys(after).length > 0 && { after }),
  };
}

const isCommitted = ({ status }: CommitResult): boolean =>
  status === "committed";

/** The use-case knows what was done, the request who did it and from where. */
function whoOf(
  begun: AuditDraft,
  { actor }: AuditDraft,
): Pick<AuditDraft, "actor" | "requestId"> {
  const { actor: own, requestId } = begun;
  const isOwn =
    own.kind === "user" &&
    (actor.kind !== "user" || actor.userId === own.userId);
  return {
    actor: isOwn ? own : { ...originOf(begun), ...actor },
    ...(requestId !== undefined && { requestId }),
  };
}

const originOf = ({ actor: { ip, userAgent, country } }: AuditDraft) => ({
  ...(ip !== undefined && { ip }),
  ...(userAgent !== undefined && { userAgent }),
  ...(country !== undefined && { country }),
});
