import { canonicalJson } from "../core/canonical-json.ts";
import { isUserId } from "../core/ids.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { AuditActor, AuditDraft } from "./audit-draft.ts";
import { WeightedCache } from "../util/weighted-cache.ts";
import type { Sql } from "./database.ts";
import type { KeyHandle, Keyring, KeyName } from "./keyring.ts";
import { listExistingUsers } from "./users.ts";
import type { RecordingCommitter, Committer } from "./write.ts";

export interface RecordNeeds {
  sql: Sql;
  keyring: Pick<Keyring, "prepare" | "seal" | "hashWords" | "spanAt">;
  known: KnownUsers;
  /** Names this process. */
  node: string;
}

/** Users of whom this process knows that they exist: none is ever removed. */
export type KnownUsers = WeightedCache<string, true>;

const MOST_KNOWN = 10_000;

export const createKnownUsers = (): KnownUsers =>
  new WeightedCache(MOST_KNOWN, () => 1);

/** What sealed parts of a record are bound to; their places in it differ by the last word. */
export const AUDIT_CONTEXT = "myelin audit";

/** A committer that takes records as drafts. Writes without any pass as they are. */
export const sealsRecords = (
  committer: Committer,
  needs: RecordNeeds,
): RecordingCommitter => ({
  async commit(write) {
    const { audit = [], ...rest } = write;
    if (audit.length === 0) return committer.commit(rest);
    const made = rest.rows?.newUsers?.map(({ userId }) => userId) ?? [];
    const records = await sealRecords(needs, audit, made);
    return committer.commit({ ...rest, audit: records });
  },
});

/**
 * Writes drafts out. What is personal is sealed under the key of the user whom it is of,
 * so that it dies with the user and the chain does not: the chain holds the sealed bytes.
 * Whoever has no account here has no key: a name that was only claimed is left out, since
 * people type passwords there.
 */
async function sealRecords(
  needs: RecordNeeds,
  drafts: readonly AuditDraft[],
  made: readonly string[],
): Promise<string[]> {
  const named = drafts.flatMap(({ actor, resource }) => [
    ...(actor.kind === "user" ? [actor.userId] : []),
    ...(resource.type === "user" && resource.id !== undefined
      ? [resource.id]
      : []),
  ]);
  const asked = [...new Set(named)].filter(
    (userId) => isUserId(userId) && !made.includes(userId),
  );
  const known = [...made, ...(await listKnown(needs, asked))];
  const used = known.filter((userId) => named.includes(userId));
  const months = [...new Set(drafts.map(({ ts }) => needs.keyring.spanAt(ts)))];
  const handles = await needs.keyring.prepare([
    ...used.map(keyOfUser),
    ...months.map(keyOfMonth),
  ]);
  const keys: Keys = {
    users: new Map(used.map((userId, i) => [userId, handles[i]!])),
    months: new Map(
      months.map((month, i) => [month, handles[used.length + i]!]),
    ),
  };
  return drafts.map((draft) => writeRecord(needs, draft, keys));
}

/** Those of these who exist; whoever is not known yet may since have come to be. */
async function listKnown(
  { sql, known }: Pick<RecordNeeds, "known" | "sql">,
  userIds: readonly string[],
): Promise<string[]> {
  const asked = userIds.filter((userId) => known.get(userId) === undefined);
  const found = await listExistingUsers(sql, asked);
  for (const userId of found) known.set(userId, true);
  return userIds.filter(
    (userId) => !asked.includes(userId) || found.includes(userId),
  );
}

interface Keys {
  users: ReadonlyMap<string, KeyHandle>;
  /** Of addresses that belong to nobody we know. */
  months: ReadonlyMap<string, KeyHandle>;
}

const keyOfUser = (owner: string): KeyName => ({
  scope: "user",
  owner,
  span: "",
});
const keyOfMonth = (span: string): KeyName => ({
  scope: "user-span",
  owner: "",
  span,
});

function writeRecord(
  { keyring, node }: RecordNeeds,
  draft: AuditDraft,
  { users, months }: Keys,
): string {
  const { actor, resource, reason, before, after } = draft;
  const { ts, action, result, errcode, caseId, approvalId, requestId } = draft;
  const seal = (key: KeyHandle, what: string, parts: JsonObject) => {
    const text = canonicalJson(parts);
    const { firstKey, sealed } = keyring.seal(
      text,
      `${AUDIT_CONTEXT} ${what}`,
      key,
    );
    return [firstKey, Buffer.from(sealed).toString("base64")];
  };
  const said = defined({ reason, before, after });
  const { type, id } = resource;
  const ofUser = type === "user" && id !== undefined;
  const key = ofUser ? users.get(id) : undefined;
  const isClaimed = ofUser && key === undefined;
  const whom = key
    ? {
        id: pseudonymOf(keyring, id!, key),
        sealed: seal(key, "resource", tidy({ id: id!, ...said })),
      }
    : isClaimed
      ? {}
      : defined({ id: id === undefined ? undefined : tidyText(id) });
  const own = actor.kind === "user" ? users.get(actor.userId) : undefined;
  const origin = defined({
    ip: actor.ip,
    user_agent: actor.userAgent,
    country: actor.country,
  });
  const who = (): JsonObject => {
    if (actor.kind === "user" && own)
      return {
        type: "user",
        id: pseudonymOf(keyring, actor.userId, own),
        ...defined({ token_id: actor.tokenId }),
        ...(actor.roles && { roles: [...actor.roles] }),
        sealed: seal(own, "actor", tidy(personOf(actor, origin))),
      };
    const month = months.get(keyring.spanAt(ts))!;
    return {
      type: actor.kind,
      ...(Object.keys(origin).length > 0 && {
        sealed: seal(month, "actor", tidy(origin)),
      }),
    };
  };
  return canonicalJson({
    v: 1,
    ts,
    node,
    action,
    result,
    actor: who(),
    resource: { type, ...whom },
    ...(key || isClaimed ? {} : tidy(said)),
    ...tidy(
      defined({
        errcode,
        case_id: caseId,
        approval_id: approvalId,
        request_id: requestId,
      }),
    ),
  });
}

const personOf = (
  actor: Extract<AuditActor, { kind: "user" }>,
  origin: JsonObject,
): JsonObject => ({
  user_id: actor.userId,
  ...defined({ device_id: actor.deviceId }),
  ...origin,
});

/** Stands for a user in searches; nobody can make it again once the user's key is gone. */
export const pseudonymOf = (
  keyring: Pick<Keyring, "hashWords">,
  userId: string,
  key: KeyHandle,
): string => keyring.hashWords([userId], AUDIT_CONTEXT, key)[0]!;

const defined = (
  parts: Readonly<Record<string, JsonValue | undefined>>,
): JsonObject => {
  const kept: JsonObject = {};
  for (const [name, value] of Object.entries(parts))
    if (value !== undefined) kept[name] = value;
  return kept;
};

const LONGEST = 1024;
/** Controls, and halves of characters. */
const CONTROLS = /[\0-\x1f\x7f]|\p{Surrogate}/gu;
/** What may be one; most texts hold none, and are not looked through a second time. */
const SUSPECT = /[\0-\x1f\x7f\ud800-\udfff]/;

/** What clients sent, as the database and canonical JSON take it. */
const tidyText = (text: string): string => {
  const short = text.slice(0, LONGEST);
  return SUSPECT.test(short) ? short.replace(CONTROLS, "\ufffd") : short;
};

const tidy = (value: JsonObject): JsonObject => tidyValue(value) as JsonObject;

function tidyValue(value: JsonValue): JsonValue {
  if (typeof value === "string") return tidyText(value);
  if (typeof value === "number")
    return Number.isSafeInteger(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(tidyValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      tidyText(name),
      tidyValue(each),
    ]),
  );
}
