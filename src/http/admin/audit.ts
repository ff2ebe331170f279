import { checkpointJson, rotationJson } from "../../core/audit-export.ts";
import { listRotations } from "../../domain/admin/audit-rotation.ts";
import {
  exportAudit,
  type ExportFormat,
} from "../../domain/admin/export-audit.ts";
import {
  readCheckpoints,
  reviewAudit,
  searchAudit,
  type AuditQuestion,
} from "../../domain/admin/read-audit.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  BOOLEAN,
  EMPTY,
  INTEGER,
  named,
  object,
  open,
  TEXT,
  TIME,
} from "../json-schema.ts";
import { reply } from "../reply.ts";
import {
  listAnswer,
  listQuery,
  onwardAnswer,
  onwardProperties,
  pageAnswer,
  pageOf,
  type OnwardQuery,
  type PageQuery,
} from "./paging.ts";
import { AUDIT_RECORD, AUDIT_RESULTS } from "./audit-record-schema.ts";

const AUDIT = "/_myelin/admin/v1/audit";

interface Question {
  actor?: string;
  action?: string;
  target?: string;
  target_type?: string;
  result?: string;
  from_ts?: number;
  to_ts?: number;
}

const text = { type: "string", minLength: 1, maxLength: 512 };
const place = {
  type: "integer",
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
};
const time = { type: "integer", minimum: 0, maximum: 8_640_000_000_000_000 };
const questionProperties = {
  actor: text,
  action: text,
  target: text,
  target_type: text,
  result: { type: "string", enum: AUDIT_RESULTS },
  from_ts: time,
  to_ts: time,
};

const questionOf = (query: Question): AuditQuestion => ({
  ...(query.actor !== undefined && { actor: query.actor }),
  ...(query.action !== undefined && { action: query.action }),
  ...(query.target !== undefined && { target: query.target }),
  ...(query.target_type !== undefined && { targetType: query.target_type }),
  ...(query.result !== undefined && { result: query.result }),
  ...(query.from_ts !== undefined && { fromTs: query.from_ts }),
  ...(query.to_ts !== undefined && { toTs: query.to_ts }),
});

export const getAudit = endpoint<{ query: Question & PageQuery }>({
  method: "get",
  path: AUDIT,
  auth: "admin",
  permission: "audit.read",
  rateLimit: "admin",
  query: listQuery(["seq"], questionProperties),
  doc: {
    id: "listAuditRecords",
    says: "Lists records of the audit log; reading it is recorded too.",
    answers: listAnswer("records", AUDIT_RECORD, { total_is_more: BOOLEAN }),
  },
  async handle(edges, { query }) {
    const { records, total, isMore } = await searchAudit(
      edges,
      questionOf(query),
      pageOf(query),
    );
    return {
      records,
      ...pageAnswer(query, records.length, total),
      // Whoever looks for what lies beyond names a time.
      ...(isMore && { total_is_more: true }),
    };
  },
});

const TYPES: Readonly<Record<ExportFormat, string>> = {
  ndjson: "application/x-ndjson",
  csv: "text/csv; charset=utf-8",
  cef: "text/plain; charset=utf-8",
};

/** As long as the log is, and never all of it in memory. */
export const getAuditExport = endpoint<{
  query: Question & { format?: ExportFormat; from_seq?: number };
}>({
  method: "get",
  path: `${AUDIT}/export`,
  auth: "admin",
  permission: "audit.export",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      ...questionProperties,
      format: { type: "string", enum: Object.keys(TYPES) },
      from_seq: place,
    },
  },
  doc: {
    id: "exportAudit",
    says: "Exports the audit log as a file; as NDJSON it can be verified.",
    answers: ["application/x-ndjson", "text/csv", "text/plain"],
  },
  async handle(edges, { query }) {
    const { format = "ndjson", from_seq: fromSeq = 1 } = query;
    const order = { format, fromSeq, question: questionOf(query) };
    const rest = await exportAudit(edges, order);
    const headers = {
      "Content-Type": TYPES[format],
      "Content-Disposition": `attachment; filename="audit.${format}"`,
    };
    return reply({ headers, body: "", rest });
  },
});

const CHECKPOINT = named(
  "Checkpoint",
  object({
    checkpoint: object({
      server: TEXT,
      seq: INTEGER,
      hash: TEXT,
      ts: TIME,
      key_id: TEXT,
    }),
    signature: TEXT,
  }),
);

const ROTATION = named(
  "KeyRotation",
  object({
    seq: INTEGER,
    rotation: open("The key that signs from here on, and the one before it."),
    signature: TEXT,
  }),
);

/** The public key that checkpoints are signed with, and how it followed from the first one. */
export const getAuditKey = endpoint({
  method: "get",
  path: `${AUDIT}/key`,
  auth: "admin",
  permission: "audit.read",
  rateLimit: "admin",
  doc: {
    id: "getAuditKey",
    says: "Reads the public key that checkpoints are signed with, and how it followed from the first one.",
    answers: object(
      { key_id: TEXT, public_key: TEXT },
      { rotations: arrayOf(ROTATION) },
    ),
  },
  async handle(edges) {
    const { keyId, publicKey } = await edges.auditKey.current();
    const rotations = await listRotations(edges);
    return {
      ...{ key_id: keyId, public_key: publicKey },
      ...(rotations.length > 0 && {
        rotations: rotations.map(rotationJson),
      }),
    };
  },
});

export const getAuditCheckpoints = endpoint<{ query: OnwardQuery }>({
  method: "get",
  path: `${AUDIT}/checkpoints`,
  auth: "admin",
  permission: "audit.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: { ...onwardProperties, from: { ...place, default: 1 } },
  },
  doc: {
    id: "readCheckpoints",
    says: "Reads the signed ends of the chain, onward from a record.",
    answers: onwardAnswer("checkpoints", CHECKPOINT),
  },
  async handle(edges, { query }) {
    const { from = 1, limit = 100 } = query;
    const found = await readCheckpoints(edges, from - 1, limit);
    const { checkpoints, isMore } = found;
    const last = checkpoints.at(-1)?.checkpoint.seq;
    return {
      checkpoints: checkpoints.map(checkpointJson),
      ...(isMore && last !== undefined && { next_token: String(last + 1) }),
    };
  },
});

/** An auditor signs that a stretch of the log was looked through. */
export const postAuditReview = endpoint<{
  body: { from_seq: number; to_seq: number; comment: string };
}>({
  method: "post",
  path: `${AUDIT}/reviews`,
  auth: "admin",
  permission: "audit.review",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      from_seq: place,
      to_seq: place,
      comment: { type: "string", minLength: 1, maxLength: 1024 },
    },
    required: ["from_seq", "to_seq", "comment"],
  },
  doc: {
    id: "reviewAudit",
    says: "Signs that a stretch of the log was looked through.",
    answers: EMPTY,
  },
  async handle(edges, { body }) {
    await reviewAudit(edges, {
      fromSeq: body.from_seq,
      toSeq: body.to_seq,
      comment: body.comment,
    });
    return {};
  },
});
