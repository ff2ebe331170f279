import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  dueBy,
  isExtendable,
  type PrivacyLaw,
} from "../../core/privacy-law.ts";
import {
  countOpenRequests,
  findPrivacyRequest,
  listPrivacyRequests,
  type PrivacyRequestRow,
  type PrivacyRequestSearch,
} from "../../storage/privacy-requests.ts";
import type {
  PrivacyRequestKind,
  PrivacyRequestState,
  RecordedWrite,
  Sealed,
} from "../../storage/write.ts";
import type { Requester } from "../accounts/requester.ts";
import type { Administrator } from "../admin/change-authority.ts";
import { getAccountRow } from "../admin/users/account.ts";
import { changedMeanwhile, commitAct } from "../admin/users/act.ts";

type Reads = Pick<Edges, "db" | "keyring">;
type Needs = Reads & Pick<Edges, "committer" | "now" | "random" | "settings">;

interface Note {
  ts: number;
  by: string;
  text: string;
}

/** What of a request is personal; sealed under the key of whom it is of. */
interface Details {
  /** What was asked for, in the person's own words. */
  message: string;
  /** How it was seen that they are who they say. */
  identityCheck?: string;
  notes: Note[];
  /** What it is due by; absent in those that are older than the choice. */
  law?: PrivacyLaw;
  /** Why it takes longer, which the person is told. */
  extension?: { ts: number; reason: string };
}

export type PrivacyRequest = Omit<PrivacyRequestRow, "keyId" | "sealed"> & {
  /** Undefined where the person was erased. */
  details: Details | undefined;
};

const DAY_MS = 24 * 60 * 60 * 1000;
const MOST_OPEN = 10;
const MOST_NOTES = 100;

const contextOf = (requestId: string): string =>
  `privacy_requests.sealed ${requestId}`;

const seal = (
  { keyring }: Pick<Edges, "keyring">,
  userId: string,
  requestId: string,
  details: Details,
) => keyring.sealForUser(userId, contextOf(requestId), JSON.stringify(details));

async function open(
  { keyring }: Pick<Edges, "keyring">,
  rows: readonly PrivacyRequestRow[],
): Promise<PrivacyRequest[]> {
  const texts = await keyring.openAll(
    rows.map(({ requestId, keyId, sealed }) => ({
      context: contextOf(requestId),
      ...{ keyId, sealed },
    })),
  );
  return rows.map(({ keyId: _, sealed: __, ...row }, i) => {
    const text = texts[i];
    const details =
      text === undefined ? undefined : (JSON.parse(text) as Details);
    return { ...row, details };
  });
}

export interface NewRequest {
  kind: PrivacyRequestKind;
  message: string;
  law?: PrivacyLaw;
  /** Sooner than the law has it. */
  dueDays?: number;
}

/** Asks for something of one's own data. @throws MatrixError M_LIMIT_EXCEEDED */
export async function askForOwn(
  edges: Needs,
  { userId }: Pick<Requester, "userId">,
  { kind, message }: NewRequest,
): Promise<PrivacyRequest> {
  if ((await countOpenRequests(edges.db, userId)) >= MOST_OPEN)
    throw new MatrixError(
      "M_LIMIT_EXCEEDED",
      "So many of your requests wait for an answer already.",
    );
  const { requestId, row } = await makeRow(edges, userId, userId, {
    ...{ kind, message },
  });
  const outcome = await edges.committer.commit({
    positions: 1,
    activeUsers: [userId],
    rows: { privacyRequests: [row] },
  });
  if (outcome.status !== "committed")
    throw new MatrixError(
      "M_USER_DEACTIVATED",
      "This account has been deactivated.",
    );
  return getPrivacyRequest(edges, requestId);
}

/** Notes what a person has asked for by letter or otherwise. */
export async function openRequestFor(
  edges: Needs,
  by: Administrator,
  userId: string,
  wanted: NewRequest,
): Promise<PrivacyRequest> {
  await getAccountRow(edges, userId);
  const { requestId, row } = await makeRow(
    ...([edges, userId, by.actor.userId, wanted] as const),
  );
  const details = { request: requestId, kind: wanted.kind };
  const about = { target: userId, details };
  await commitAct(edges, by, about, { rows: { privacyRequests: [row] } });
  return getPrivacyRequest(edges, requestId);
}

async function makeRow(
  edges: Needs,
  userId: string,
  openedBy: string,
  { kind, message, law = edges.settings.privacyLaw, dueDays }: NewRequest,
) {
  const requestId = edges.random.token(16);
  const details = { message, notes: [], law };
  const sealed = await seal(edges, userId, requestId, details);
  const nowTs = edges.now();
  const byLaw = dueBy(law, nowTs) - nowTs;
  const dueInMs = dueDays === undefined ? byLaw : dueDays * DAY_MS;
  if (law !== "none" && dueInMs > byLaw) throw tooLate();
  const row = { requestId, userId, kind, openedBy, dueInMs, ...sealed };
  return { requestId, row };
}

const tooLate = (): MatrixError =>
  new MatrixError(
    "M_INVALID_PARAM",
    "By the law that this request is due by, that is too late.",
  );

/** @throws MatrixError M_NOT_FOUND */
export async function getPrivacyRequest(
  edges: Reads,
  requestId: string,
): Promise<PrivacyRequest> {
  const row = await findPrivacyRequest(edges.db, requestId);
  const [request] = row ? await open(edges, [row]) : [];
  if (request) return request;
  throw new MatrixError("M_NOT_FOUND", "There is no such request.");
}

export async function searchPrivacyRequests(
  edges: Reads,
  search: PrivacyRequestSearch,
): Promise<{ requests: PrivacyRequest[]; total: number }> {
  const { requests, total } = await listPrivacyRequests(edges.db, search);
  return { requests: await open(edges, requests), total };
}

export interface RequestChange {
  state?: PrivacyRequestState;
  dueTs?: number;
  note?: string;
  /** How it was seen that the person is who they say. */
  identityCheck?: string;
  /** Why it takes longer than the law has it: once. */
  extension?: string;
}

/**
 * Changes a request on its way to an answer.
 * @throws MatrixError M_FORBIDDEN where it is done without that the person was seen to be who they are
 */
export async function changeRequest(
  edges: Needs,
  by: Administrator,
  requestId: string,
  change: RequestChange,
): Promise<PrivacyRequest> {
  const request = await getPrivacyRequest(edges, requestId);
  const { userId } = request;
  const isChecked =
    change.identityCheck !== undefined || request.identityCheckedTs !== null;
  // Whoever asks by their own session has shown it by that.
  if (change.state === "done" && !isChecked && request.openedBy !== userId)
    throw new MatrixError(
      "M_FORBIDDEN",
      "Note first how it was checked that the person is who they say.",
    );
  const dueTs = dueTsOf(request, change);
  const details = {
    request: requestId,
    ...(change.extension !== undefined && { extended: true, due_ts: dueTs }),
    ...(change.state !== undefined && { state: change.state }),
    ...(change.dueTs !== undefined && { due_ts: change.dueTs }),
    ...(change.note !== undefined && { note: true }),
    ...(change.identityCheck !== undefined && { identity_checked: true }),
  };
  const { userId: officer } = by.actor;
  const write = await writeOf(edges, request, { ...change, dueTs }, officer);
  // A record that names who was erased would be sealed under a key of theirs.
  const target = request.details ? userId : `request ${requestId}`;
  await commitAct(edges, by, { target, details }, write);
  return getPrivacyRequest(edges, requestId);
}

/**
 * When it is due from now on.
 * @throws MatrixError M_BAD_STATE, M_INVALID_PARAM
 */
function dueTsOf(
  { createdTs, closedTs, details, ...request }: PrivacyRequest,
  { dueTs, extension }: RequestChange,
): number {
  const { law = "none" } = details ?? {};
  const isExtending = extension !== undefined;
  const mayExtend =
    isExtendable(law) &&
    closedTs === null &&
    !request.isOverdue &&
    details?.extension === undefined;
  if (isExtending && !mayExtend)
    throw new MatrixError(
      "M_BAD_STATE",
      "This request cannot be extended: that is done once, before it is due, where the law knows it.",
    );
  const isExtended = isExtending || details?.extension !== undefined;
  const latest = dueBy(law, createdTs, isExtended);
  const due = dueTs ?? (isExtending ? latest : request.dueTs);
  if (law !== "none" && dueTs !== undefined && due > latest) throw tooLate();
  return due;
}

/** Takes back what one has asked for. @throws MatrixError M_NOT_FOUND */
export async function withdrawRequest(
  edges: Needs,
  { userId }: Pick<Requester, "userId">,
  requestId: string,
): Promise<PrivacyRequest> {
  const request = await getPrivacyRequest(edges, requestId);
  if (request.userId !== userId)
    throw new MatrixError("M_NOT_FOUND", "There is no such request.");
  if (request.closedTs !== null) return request;
  const write = await writeOf(edges, request, { state: "withdrawn" }, userId);
  const outcome = await edges.committer.commit({ positions: 1, ...write });
  if (outcome.status !== "committed") throw changedMeanwhile();
  return getPrivacyRequest(edges, requestId);
}

/** Of two changes of the same version one is made. */
async function writeOf(
  edges: Needs,
  request: PrivacyRequest,
  { state, dueTs, note, identityCheck, extension }: RequestChange,
  by: string,
): Promise<Pick<RecordedWrite, "idempotency" | "rows">> {
  const { requestId, version } = request;
  const row = {
    ...{ requestId, version, state: state ?? request.state },
    dueTs: dueTs ?? request.dueTs,
    checkedBy: identityCheck === undefined ? null : by,
    ...(await sealAnew(edges, request, { note, identityCheck, extension }, by)),
  };
  return {
    idempotency: [{ key: claimOf(requestId, version), answer: "" }],
    rows: { privacyRequestChanges: [row] },
  };
}

/** What is said of a request, with what is added; of who was erased nothing is said any more. */
async function sealAnew(
  edges: Needs,
  { userId, requestId, details }: PrivacyRequest,
  {
    note,
    identityCheck,
    extension,
  }: Record<"note" | "identityCheck" | "extension", string | undefined>,
  by: string,
): Promise<Partial<Sealed>> {
  if (!details) {
    if (note === undefined) return {};
    throw new MatrixError(
      "M_FORBIDDEN",
      "Whoever asked was erased: the request can be closed, and no note is kept of them.",
    );
  }
  if (note !== undefined && details.notes.length >= MOST_NOTES)
    throw new MatrixError("M_TOO_LARGE", "There are too many notes already.");
  const added = note === undefined ? [] : [{ ts: edges.now(), by, text: note }];
  return seal(edges, userId, requestId, {
    ...details,
    ...(identityCheck !== undefined && { identityCheck }),
    ...(extension !== undefined && {
      extension: { ts: edges.now(), reason: extension },
    }),
    notes: [...details.notes, ...added],
  });
}

const claimOf = (requestId: string, version: number): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["privacy request", requestId, version]))
    .digest()
    .subarray(0, 16);
