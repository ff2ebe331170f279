import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../core/json.ts";
import { EXPORT_FORMAT, signExport } from "../../core/privacy-export.ts";
import {
  findAuditHead,
  listAuditRows,
  type AuditFilter,
  type AuditRow,
} from "../../storage/audit-log.ts";
import { listOwnMedia, type OwnMediumRow } from "../../storage/media-admin.ts";
import {
  listOwnEvents,
  listPersonalRows,
  type OwnEventsPage,
  type OwnEventsPlace,
  type PersonalRow,
} from "../../storage/personal-rows.ts";
import { openRecords } from "../admin/open-records.ts";
import { filterOf } from "../admin/read-audit.ts";
import { getAccountRow } from "../admin/users/account.ts";
import { readBlob } from "../media/blobs.ts";
import { openFileSecret } from "../media/file-secret.ts";
import { mapEvents } from "../rooms/event-store.ts";
import { PERSONAL_TABLES, type PersonalTable } from "./personal-tables.ts";

type Needs = Pick<
  Edges,
  | "auditKey"
  | "db"
  | "keyring"
  | "log"
  | "mediaStore"
  | "memory"
  | "now"
  | "settings"
>;

const VERSION = 1;
const ROWS_AT_ONCE = 200;
const EVENTS_AT_ONCE = 100;
const LOOKED_AT = 5_000;
const MEDIA_AT_ONCE = 50;

/**
 * All that the server has of a person, a line of JSON for each piece, and never all of it in
 * memory. The last line tells that nothing is missing, signed. What others wrote is theirs.
 */
export async function exportPerson(
  edges: Needs,
  userId: string,
): Promise<AsyncIterable<string>> {
  await getAccountRow(edges, userId);
  return lines(edges, userId);
}

async function* lines(edges: Needs, userId: string): AsyncGenerator<string> {
  const { auditKey, now, settings } = edges;
  const whose = {
    server: settings.serverName,
    user_id: userId,
    made_ts: now(),
  };
  const header = { kind: "header", format: EXPORT_FORMAT, version: VERSION };
  const hash = createHash("sha256");
  const hashed = (text: string) => {
    hash.update(text);
    return text;
  };
  yield hashed(lineOf({ ...header, ...whose }));
  let count = 1;
  for await (const page of pages(edges, userId)) {
    if (page.length === 0) continue;
    count += page.length;
    yield hashed(page.join(""));
  }
  const told = { lines: count + 1, sha256: hash.digest("hex") };
  const { keyId, privateKey } = await auditKey.current();
  const signature = signExport({ ...whose, ...told }, privateKey);
  yield lineOf({ kind: "end", ...told, key_id: keyId, signature });
}

async function* pages(edges: Needs, userId: string): AsyncGenerator<string[]> {
  for (const table of PERSONAL_TABLES) yield* rowsOf(edges, userId, table);
  yield* eventsOf(edges, userId);
  yield* mediaOf(edges, userId);
  yield* recordsOf(edges, userId);
}

const lineOf = (line: JsonObject): string => `${JSON.stringify(line)}\n`;

async function* rowsOf(
  { db, keyring }: Needs,
  userId: string,
  table: PersonalTable,
): AsyncGenerator<string[]> {
  let after: PersonalRow | undefined;
  for (;;) {
    const rows: PersonalRow[] = await listPersonalRows(
      ...([db, userId, table, table.key] as const),
      { after, limit: ROWS_AT_ONCE },
    );
    const sealed = rows.map((row) => sealedIn(row, table));
    const texts = await keyring.openAll(sealed.flatMap((part) => part ?? []));
    let opened = 0;
    yield rows.map((row, i) => {
      const content = sealed[i] ? texts[opened++] : undefined;
      return lineOf({
        ...{ kind: "row", table: table.table },
        data: shown(row, table, userId),
        ...(content !== undefined && { content: toldOf(content, table) }),
      });
    });
    if (rows.length < ROWS_AT_ONCE) return;
    after = rows.at(-1);
  }
}

/** Of a row, the columns that are sealed and name the key. */
const SEALS = [
  { sealed: "sealed", key: "key_id" },
  { sealed: "status_sealed", key: "status_key" },
] as const;

const sealIn = (row: PersonalRow) =>
  SEALS.find(({ sealed }) => Object.hasOwn(row, sealed));

function sealedIn(row: PersonalRow, { opens }: PersonalTable) {
  const seal = sealIn(row);
  const bytes = seal && row[seal.sealed];
  if (!opens || !seal || typeof bytes !== "string") return undefined;
  return {
    context: opens(row),
    keyId: Number(row[seal.key]),
    sealed: Buffer.from(bytes.slice(2), "hex"),
  };
}

/** Who else did something to it is not the person's to read. */
function shown(
  row: PersonalRow,
  { hides }: PersonalTable,
  userId: string,
): JsonObject {
  const seal = sealIn(row);
  const hidden = new Set<string>([
    ...hides,
    ...(seal ? [seal.sealed, seal.key] : []),
  ]);
  return Object.fromEntries(
    Object.entries(row).filter(
      ([name, value]) =>
        !hidden.has(name) && !(name.endsWith("_by") && value !== userId),
    ),
  ) as JsonObject;
}

function toldOf(content: string, { tells }: PersonalTable): JsonValue {
  const value = valueOf(content);
  if (!tells || !isJsonObject(value)) return value;
  return Object.fromEntries(
    tells.flatMap((name) => {
      const told = value[name];
      return told === undefined ? [] : [[name, told]];
    }),
  );
}

/** Most of what is sealed is JSON; addresses and the like are not. */
function valueOf(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

async function* eventsOf(
  edges: Needs,
  userId: string,
): AsyncGenerator<string[]> {
  let after: OwnEventsPlace | null = { roomNid: 0, position: -1 };
  while (after) {
    const page: OwnEventsPage = await listOwnEvents(edges.db, {
      ...{ userId, after, withState: true },
      ...{ lookedAt: LOOKED_AT, limit: EVENTS_AT_ONCE },
    });
    const events = await mapEvents(edges, page.nids);
    yield page.nids.flatMap((nid) => {
      const event = events.get(nid);
      if (!event) return [];
      const roomId = JSON.stringify(event.room.roomId);
      return `{"kind":"event","room_id":${roomId},"event":${event.clientJson}}}\n`;
    });
    after = page.reached;
  }
}

async function* mediaOf(
  edges: Needs,
  userId: string,
): AsyncGenerator<string[]> {
  let after = "";
  for (;;) {
    const media = await listOwnMedia(edges.db, userId, after, MEDIA_AT_ONCE);
    for (const medium of media) yield* mediumLines(edges, medium);
    const last = media.at(-1);
    if (!last || media.length < MEDIA_AT_ONCE) return;
    after = last.mediaId;
  }
}

async function* mediumLines(
  edges: Needs,
  { blobId, sealed, size, ...row }: OwnMediumRow,
): AsyncGenerator<string[]> {
  const { mediaId, contentType, createdTs, isQuarantined } = row;
  const opened = sealed
    ? await openFileSecret(edges, { ...row, sealed })
    : undefined;
  yield [
    lineOf({
      ...{ kind: "media", media_id: mediaId, created_ts: createdTs },
      ...{ content_type: contentType, size, quarantined: isQuarantined },
      name: opened?.name ?? null,
    }),
  ];
  // What was withheld from everybody is not given out this way either.
  if (!opened || blobId === null || size === null || isQuarantined) return;
  const stored = { blobId, size, secret: opened.secret };
  let offset = 0;
  for await (const bytes of readBlob(edges, stored)) {
    const base64 = Buffer.from(bytes).toString("base64");
    const kind = "media_bytes";
    yield [lineOf({ kind, media_id: mediaId, offset, base64 })];
    offset += bytes.length;
  }
}

/** What the user did that is recorded, and what was done to their account. */
async function* recordsOf(
  edges: Needs,
  userId: string,
): AsyncGenerator<string[]> {
  const upTo = (await findAuditHead(edges.db))?.seq ?? 0;
  for (const as of ["actor", "subject"] as const) {
    const filter = await filterOf(
      edges,
      as === "actor" ? { actor: userId } : { target: userId },
    );
    yield* recordPages(edges, filter, as, upTo);
  }
}

async function* recordPages(
  edges: Needs,
  filter: AuditFilter,
  as: "actor" | "subject",
  upTo: number,
): AsyncGenerator<string[]> {
  let after = 0;
  for (;;) {
    const span = { after, upTo, limit: ROWS_AT_ONCE };
    const rows: AuditRow[] = await listAuditRows(edges.db, filter, span);
    const records = await openRecords(edges, rows);
    yield records.map(({ seq, actor, ...record }) => {
      const { ts, action, result, reason, case_id } = record as JsonObject;
      const { device_id, ip, user_agent, roles } = actor;
      return lineOf(
        defined({
          ...{ kind: "audit", as, seq, ts, action, result },
          // Of whom else it was about, or who else did it, nothing is told.
          ...(as === "actor"
            ? { device_id, ip, user_agent }
            : { reason, case_id, roles }),
        }),
      );
    });
    const last = rows.at(-1);
    if (!last || rows.length < ROWS_AT_ONCE) return;
    after = last.seq;
  }
}

const defined = (
  parts: Readonly<Record<string, JsonValue | undefined>>,
): JsonObject =>
  Object.fromEntries(
    Object.entries(parts).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
