import { createHmac } from "node:crypto";
import type { AlertSettings } from "../../../edges.ts";
import { SpanCounts } from "../../../util/span-counts.ts";
import { factsOf, isPermission } from "../permissions.ts";
import type { Finding } from "./finding.ts";
import { isOffHours } from "./off-hours.ts";
import { guesserOf, type RecordFacts } from "./record-facts.ts";

const MOST_SUBJECTS = 20_000;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Reads the audit log in its order and tells what is remarkable in it. What it remembers
 * is of the last two spans of time, so whoever reads those again knows the same.
 */
export class LogWatch {
  readonly #settings: AlertSettings;
  readonly #secret: Uint8Array;
  readonly #guesses: SpanCounts;
  readonly #reads: SpanCounts;

  /** @param secret makes of networks what stands for them in alerts */
  constructor(settings: AlertSettings, secret: Uint8Array) {
    const { spray, reads } = settings;
    this.#settings = settings;
    this.#secret = secret;
    this.#guesses = new SpanCounts(spray.spanMs, MOST_SUBJECTS, spray.accounts);
    this.#reads = new SpanCounts(reads.spanMs, MOST_SUBJECTS, reads.count);
  }

  /** From when on it has to have read what came before a time. */
  static memoryAt({ spray, reads }: AlertSettings, ts: number): number {
    const longest = Math.max(spray.spanMs, reads.spanMs);
    return Math.floor(ts / longest) * longest - longest;
  }

  follow(facts: RecordFacts): Finding[] {
    return [
      ...this.#spray(facts),
      ...this.#privilegedReads(facts),
      ...this.#offHours(facts),
      ...newAdministrator(facts),
      ...brokenGlass(facts),
    ];
  }

  /** One network tries the passwords of many accounts, and may find one. */
  #spray(facts: RecordFacts): Finding[] {
    const { seq, ts, action, isAllowed, isDenied, userId, targetId } = facts;
    const guesser = guesserOf(facts);
    if (action !== "auth.login" || guesser === undefined) return [];
    const { accounts } = this.#settings.spray;
    const span = this.#guesses.spanAt(ts);
    const finding = {
      detector: "password_spray",
      severity: "high",
      ...{ span, recordSeq: seq },
    } as const;
    if (isDenied) {
      // A name that is nobody's is left out of the log: each of them counts.
      const target = targetId ?? `#${seq}`;
      if (this.#guesses.add(guesser, ts, target) < accounts) return [];
      const subject = this.#nameOf(guesser);
      return [{ ...finding, subject, userId: null, facts: { accounts } }];
    }
    const isFound =
      isAllowed &&
      userId !== undefined &&
      this.#guesses.count(guesser, ts) >= accounts;
    return isFound
      ? [{ ...finding, subject: userId, userId, facts: { logged_in: true } }]
      : [];
  }

  #privilegedReads(facts: RecordFacts): Finding[] {
    const { seq, ts, action, isAllowed, userId } = facts;
    const isRead =
      isAllowed &&
      isPermission(action) &&
      factsOf(action).class.endsWith("P") &&
      userId !== undefined;
    if (!isRead) return [];
    const { count } = this.#settings.reads;
    if (this.#reads.add(userId, ts, String(seq)) < count) return [];
    const span = this.#reads.spanAt(ts);
    return [
      {
        detector: "privileged_reads",
        severity: "high",
        ...{ subject: userId, span, userId, recordSeq: seq },
        facts: { reads: count },
      },
    ];
  }

  /** An act, not a look; once a day for each who does so. */
  #offHours(facts: RecordFacts): Finding[] {
    const { offHours } = this.#settings;
    const { seq, ts, action, isAllowed, userId } = facts;
    const isAct =
      isAllowed &&
      userId !== undefined &&
      isPermission(action) &&
      !/\.(?:read|export)$/.test(action);
    if (!isAct || !offHours || !isOffHours(offHours, ts)) return [];
    const span = Math.floor(ts / DAY_MS) * DAY_MS;
    return [
      {
        detector: "off_hours",
        severity: "medium",
        ...{ subject: userId, span, userId, recordSeq: seq },
        facts: { action },
      },
    ];
  }

  #nameOf(network: string): string {
    return createHmac("sha256", this.#secret)
      .update(JSON.stringify(["network of an alert", network]))
      .digest("base64url");
  }
}

function newAdministrator({
  seq,
  isAllowed,
  targetId,
  after,
}: RecordFacts): Finding[] {
  const { binding, role } = after;
  if (!isAllowed || targetId === undefined || typeof role !== "string")
    return [];
  if (typeof binding !== "number") return [];
  return [
    {
      detector: "new_administrator",
      severity: "high",
      ...{ subject: targetId, span: binding },
      ...{ userId: targetId, recordSeq: seq },
      facts: { role },
    },
  ];
}

/** Two people did at once what takes somebody else's approval. */
function brokenGlass({
  seq,
  action,
  isAllowed,
  userId,
  after,
}: RecordFacts): Finding[] {
  const isConfirmed =
    isAllowed &&
    action === "approvals.decide" &&
    after["decision"] === "break-glass" &&
    userId !== undefined;
  if (!isConfirmed) return [];
  return [
    {
      detector: "broken_glass",
      severity: "high",
      ...{ subject: userId, span: seq, userId, recordSeq: seq },
      facts: { permissions: after["permissions"] ?? [] },
    },
  ];
}
