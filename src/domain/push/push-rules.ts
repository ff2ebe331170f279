import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  defaultPushRules,
  withDefaultRules,
  withoutDefaultRules,
} from "../../core/push/default-rules.ts";
import type { PushRuleset } from "../../core/push/ruleset.ts";
import { findAccountData } from "../../storage/account-data.ts";
import { accountDataContext } from "../accounts/account-data.ts";
import type { PreparedChange } from "../accounts/update-account-data.ts";
import { describePushModes } from "./push-mode.ts";

export const PUSH_RULES = "m.push_rules";
/** Woken, like a user, where anybody's rules changed. */
export const PUSH_RULES_TOPIC = "push rules";

const MAX_BYTES = 4 * 1024 * 1024;
const MAX_ATTEMPTS = 20;

type Reads = Pick<Edges, "db" | "keyring">;

/** The user's rules as stored, among today's default rules. */
export function parseStoredRules(text: string, userId: string): PushRuleset {
  const { global } = JSON.parse(text) as { global: PushRuleset };
  return withDefaultRules(global, userId);
}

/** The content of `m.push_rules`: what is stored, or the default rules. */
export const pushRulesText = (userId: string, stored?: string): string =>
  JSON.stringify({
    global:
      stored === undefined
        ? defaultPushRules(userId)
        : parseStoredRules(stored, userId),
  });

export async function readRuleset(
  edges: Reads,
  userId: string,
): Promise<PushRuleset> {
  return (await readStored(edges, userId)).ruleset;
}

/** The ruleset and the position at which it was set; 0 for one that never was. */
async function readStored(
  { db, keyring }: Reads,
  userId: string,
): Promise<{ ruleset: PushRuleset; position: number }> {
  const row = await findAccountData(db, userId, 0, PUSH_RULES);
  const text = row?.sealed
    ? (
        await keyring.openAll([
          {
            context: accountDataContext(userId, 0, PUSH_RULES),
            keyId: row.keyId,
            sealed: row.sealed,
          },
        ])
      )[0]
    : undefined;
  const ruleset =
    text === undefined
      ? defaultPushRules(userId)
      : parseStoredRules(text, userId);
  return { ruleset, position: row?.position ?? 0 };
}

/**
 * Changes the user's rules. Of two changes at once the second is made on what the
 * first one left: a place in the stream can be built on only once.
 */
export async function changeRuleset(
  edges: Reads & Pick<Edges, "committer">,
  userId: string,
  change: (ruleset: PushRuleset) => PushRuleset,
): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const prepared = await prepareRuleset(edges, userId, change);
    if (!prepared) return;
    const outcome = await edges.committer.commit({
      positions: 1,
      activeUsers: [userId],
      idempotency: [{ key: prepared.claim, answer: "" }],
      rows: prepared.rowsAt(0),
      wake: { users: [userId, PUSH_RULES_TOPIC] },
    });
    if (outcome.status === "committed") return;
    if (outcome.status === "conflict") {
      if (outcome.over !== "key") break;
      edges.keyring.forget([prepared.keyId]);
    }
  }
  throw new MatrixError("M_UNKNOWN", "The push rules could not be changed.");
}

/**
 * The change for a write of somebody else's, which has to wake `PUSH_RULES_TOPIC`;
 * undefined where `change` leaves all as it is. Throws `M_TOO_LARGE`.
 */
export async function prepareRuleset(
  edges: Reads,
  userId: string,
  change: (ruleset: PushRuleset) => PushRuleset | undefined,
): Promise<PreparedChange | undefined> {
  const { ruleset, position } = await readStored(edges, userId);
  const changed = change(ruleset);
  if (!changed) return undefined;
  const text = textOf(changed, userId);
  if (!fits(text)) {
    throw new MatrixError("M_TOO_LARGE", "These are too many push rules.");
  }
  const context = accountDataContext(userId, 0, PUSH_RULES);
  const sealed = await edges.keyring.sealForUser(userId, context, text);
  const modes = describePushModes(changed, userId);
  return {
    claim: successorKey(userId, position),
    keyId: sealed.keyId,
    rowsAt: (at) => ({
      accountData: [{ at, userId, roomNid: 0, type: PUSH_RULES, ...sealed }],
      pushModes: modes.map((mode) => ({ at, userId, ...mode })),
    }),
  };
}

/** Whether a ruleset is small enough to be kept. */
export const isKeepable = (ruleset: PushRuleset, userId: string): boolean =>
  fits(textOf(ruleset, userId));

/** What is not stored follows the default rules of later versions. */
const textOf = (ruleset: PushRuleset, userId: string): string =>
  JSON.stringify({ global: withoutDefaultRules(ruleset, userId) });

const fits = (text: string): boolean => Buffer.byteLength(text) <= MAX_BYTES;

const successorKey = (userId: string, position: number): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["push rules after", userId, position]))
    .digest()
    .subarray(0, 16);
