import { MatrixError } from "../../../core/errors.ts";
import { localpartOf, type UserId } from "../../../core/ids.ts";
import type { AdminJobRow } from "../../../storage/admin-jobs.ts";
import {
  failImports,
  listWaitingImports,
  type WaitingImportRow,
} from "../../../storage/import-rows.ts";
import { createAccount } from "../../accounts/create-account.ts";
import {
  listTakenAddresses,
  thirdPartyIdRow,
} from "../../accounts/third-party-ids.ts";
import type { AccountLine } from "../imports/account-line.ts";
import { importContext } from "../imports/import-context.ts";
import { readProgress, type TaskEdges, type TaskKind } from "./task.ts";

interface Progress {
  made: number;
  failed: number;
}

type Wish = Pick<AccountLine, "displayName" | "email" | "password">;
type Failure = { line: number; errcode: string };

/**
 * So many are made in a step. Their passwords are hashed one after the other: who logs in
 * meanwhile waits for one of them at the most.
 */
const AT_ONCE = 20;

/** Makes accounts of a list, each in one commit with its record and the end of its line. */
export const importUsersTask: TaskKind = {
  async step(edges, job, claim) {
    const { made = 0, failed = 0 } = readProgress<Progress>(job);
    const rows = await listWaitingImports(edges.db, job.jobId, AT_ONCE);
    const wishes = await openWishes(edges, job, rows);
    const addresses = wishes.flatMap((wish) => wish?.email ?? []);
    const taken = await listTakenAddresses(edges, "email", addresses);
    const failures: Failure[] = [];
    for (const [i, { line, userId }] of rows.entries()) {
      const wish = wishes[i];
      const errcode = !wish
        ? "M_NOT_FOUND"
        : wish.email !== undefined && taken.has(wish.email)
          ? "M_THREEPID_IN_USE"
          : await make(edges, job, { line, userId, wish });
      if (errcode !== null) failures.push({ line, errcode });
    }
    await failImports(edges.db, claim, failures);
    const progress: Progress = {
      made: made + rows.length - failures.length,
      failed: failed + failures.length,
    };
    return { progress, next: rows.length < AT_ONCE ? "done" : "more" };
  },
};

/** Undefined where the key of who sent the list is gone. */
async function openWishes(
  { keyring }: TaskEdges,
  { jobId }: AdminJobRow,
  rows: readonly WaitingImportRow[],
): Promise<(Wish | undefined)[]> {
  const texts = await keyring.openAll(
    rows.map(({ line, keyId, sealed }) => ({
      context: importContext(jobId, line),
      ...{ keyId, sealed },
    })),
  );
  return texts.map((text) =>
    text === undefined ? undefined : (JSON.parse(text) as Wish),
  );
}

/** Null where the account is there now, else what was against it. */
async function make(
  edges: TaskEdges,
  { jobId, createdBy }: AdminJobRow,
  { line, userId, wish }: { line: number; userId: string; wish: Wish },
): Promise<string | null> {
  const { displayName, email, password = null } = wish;
  const address =
    email === undefined
      ? []
      : [await thirdPartyIdRow(edges, userId, "email", email)];
  try {
    await createAccount(
      edges,
      {
        localpart: localpartOf(userId as UserId),
        ...{ password, isAdmin: false, actor: createdBy },
        ...(displayName !== undefined && { displayName }),
        details: { import: jobId },
        rows: {
          thirdPartyIds: address,
          importRowEnds: [{ jobId, line, errcode: null }],
        },
      },
      null,
    );
    return null;
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    return error.errcode;
  }
}
