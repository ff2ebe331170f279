import { MatrixError } from "../../../core/errors.ts";
import type { JsonValue } from "../../../core/json.ts";
import type { Edges } from "../../../edges.ts";
import { findSeqSince } from "../../../storage/alerts.ts";
import {
  listAuditRows,
  NO_FILTER,
  type AuditFilter,
} from "../../../storage/audit-log.ts";
import { openRecords, type OpenedRecord } from "../open-records.ts";
import { factsOf, isPermission } from "../permissions.ts";
import { filterOf } from "../read-audit.ts";
import { readIncident } from "./incidents.ts";

/** Whose acts are in question; exactly one of them. */
export interface Suspect {
  actor?: string;
  /** Of a session, or of the admin API. */
  tokenId?: number;
  ip?: string;
}

interface Touched {
  type: JsonValue;
  id: JsonValue;
  reads: number;
  changes: number;
}

interface ActCount {
  allowed: number;
  denied: number;
  failed: number;
}

/** What a suspect did in the time of an incident, as the audit log has it. */
export interface BlastRadius {
  records: number;
  firstTs: number | null;
  lastTs: number | null;
  actions: Map<string, ActCount>;
  touched: Touched[];
  /** By which sessions it was done. */
  sessions: { userId: JsonValue; deviceId: JsonValue }[];
  tokenIds: number[];
  addresses: string[];
  /** Not all of what was touched, or by what, is told. */
  isCut: boolean;
  /** Where to go on; undefined where all was read. */
  nextSeq: number | undefined;
}

const AT_ONCE = 500;
const MOST_READ = 20_000;
const MOST_TOLD = 1_000;
/** Processes' clocks are not the same. */
const SLACK_MS = 60_000;

/** @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM */
export async function readBlastRadius(
  edges: Pick<Edges, "db" | "keyring" | "trail">,
  incidentId: string,
  suspect: Suspect,
  fromSeq: number,
): Promise<BlastRadius> {
  const incident = await readIncident(edges, incidentId);
  const { fromTs, toTs } = incident;
  if (Object.keys(suspect).length !== 1)
    throw new MatrixError(
      "M_INVALID_PARAM",
      "Name whose acts they are: actor, token_id or ip.",
    );
  edges.trail?.note({
    resource: { type: "incidents", id: `incident ${incidentId}` },
  });
  const span = await spanOf(edges, fromTs, toTs, fromSeq);
  const filter = await filterFor(edges, suspect, fromTs, toTs);
  const tally = new Tally();
  let read = 0;
  let after = span.after;
  while (read < MOST_READ) {
    const part = { after, upTo: span.upTo, limit: AT_ONCE };
    const rows = await listAuditRows(edges.db, filter, part);
    for (const record of await openRecords(edges, rows))
      if (isOf(record, suspect)) tally.add(record);
    read += rows.length;
    after = rows.at(-1)?.seq ?? after;
    if (rows.length < AT_ONCE) return tally.end(undefined);
  }
  return tally.end(after + 1);
}

async function spanOf(
  { db }: Pick<Edges, "db">,
  fromTs: number | null,
  toTs: number | null,
  fromSeq: number,
): Promise<{ after: number; upTo: number }> {
  const first = fromTs === null ? 1 : await findSeqSince(db, fromTs - SLACK_MS);
  const last =
    toTs === null ? undefined : await findSeqSince(db, toTs + SLACK_MS);
  return {
    after: Math.max(first ?? Number.MAX_SAFE_INTEGER, fromSeq) - 1,
    upTo: last ?? Number.MAX_SAFE_INTEGER,
  };
}

async function filterFor(
  edges: Pick<Edges, "db" | "keyring">,
  { actor }: Suspect,
  fromTs: number | null,
  toTs: number | null,
): Promise<AuditFilter> {
  const time = { fromTs, toTs: toTs === null ? null : toTs + 1 };
  if (actor === undefined) return { ...NO_FILTER, ...time };
  return { ...(await filterOf(edges, { actor })), ...time };
}

/** What names an address or a token is sealed: no search finds it. */
function isOf({ actor }: OpenedRecord, { tokenId, ip }: Suspect): boolean {
  if (tokenId !== undefined) return actor["token_id"] === tokenId;
  return ip === undefined || actor["ip"] === ip;
}

const isRead = (action: string): boolean =>
  /\.(?:read|export)$/.test(action) ||
  (isPermission(action) && factsOf(action).class.includes("P"));

class Tally {
  readonly #actions = new Map<string, ActCount>();
  readonly #touched = new Map<string, Touched>();
  readonly #sessions = new Map<
    string,
    { userId: JsonValue; deviceId: JsonValue }
  >();
  readonly #tokens = new Set<number>();
  readonly #addresses = new Set<string>();
  #records = 0;
  #firstTs: number | null = null;
  #lastTs: number | null = null;
  #isCut = false;

  add({ actor, resource, ...record }: OpenedRecord): void {
    const action = String(record["action"]);
    const ts = Number(record["ts"]);
    this.#records += 1;
    this.#firstTs ??= ts;
    this.#lastTs = ts;
    const isDone = this.#count(action, String(record["result"]));
    if (isDone) this.#touch(action, resource);
    const userId = actor["user_id"] ?? actor["pseudonym"];
    const deviceId = actor["device_id"];
    if (userId !== undefined && deviceId !== undefined) {
      const key = JSON.stringify([userId, deviceId]);
      this.#keep(this.#sessions, key, () => ({ userId, deviceId }));
    }
    const tokenId = actor["token_id"];
    if (typeof tokenId === "number" && tokenId > 0)
      this.#keepIn(this.#tokens, tokenId);
    const address = actor["ip"];
    if (typeof address === "string") this.#keepIn(this.#addresses, address);
  }

  /** Whether it was done, and not only tried. */
  #count(action: string, result: string): boolean {
    const count = this.#actions.get(action) ?? {
      ...{ allowed: 0, denied: 0, failed: 0 },
    };
    this.#actions.set(action, count);
    if (result === "denied") count.denied += 1;
    else if (result === "failed") count.failed += 1;
    else count.allowed += 1;
    return result === "allowed";
  }

  #touch(action: string, resource: OpenedRecord["resource"]): void {
    const type = resource["type"] ?? null;
    const id = resource["id"] ?? resource["pseudonym"] ?? null;
    const key = JSON.stringify([type, id]);
    const touched = this.#keep(this.#touched, key, () => ({
      ...{ type, id, reads: 0, changes: 0 },
    }));
    if (!touched) return;
    if (isRead(action)) touched.reads += 1;
    else touched.changes += 1;
  }

  #keep<T>(map: Map<string, T>, key: string, make: () => T): T | undefined {
    const known = map.get(key);
    if (known !== undefined) return known;
    if (map.size >= MOST_TOLD) {
      this.#isCut = true;
      return undefined;
    }
    const made = make();
    map.set(key, made);
    return made;
  }

  #keepIn<T>(set: Set<T>, value: T): void {
    if (set.has(value)) return;
    if (set.size >= MOST_TOLD) this.#isCut = true;
    else set.add(value);
  }

  end(nextSeq: number | undefined): BlastRadius {
    return {
      ...{ records: this.#records, isCut: this.#isCut, nextSeq },
      ...{ firstTs: this.#firstTs, lastTs: this.#lastTs },
      actions: this.#actions,
      touched: [...this.#touched.values()],
      sessions: [...this.#sessions.values()],
      tokenIds: [...this.#tokens],
      addresses: [...this.#addresses],
    };
  }
}
