import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { OpenedRecord } from "./open-records.ts";

const COLUMNS = [
  ...["seq", "time", "node", "action", "result", "errcode"],
  ...["actor", "actor_id", "device_id", "roles", "token_id", "ip"],
  ...["user_agent", "target_type", "target", "reason", "case_id"],
  ...["approval_id", "before", "after", "request_id"],
] as const;

const timeOf = (ts: JsonValue | undefined): string =>
  new Date(Number(ts)).toISOString();

/** A record as one row of names and texts. */
function flat(record: OpenedRecord): Record<(typeof COLUMNS)[number], string> {
  const { actor, resource } = record;
  return {
    seq: String(record.seq),
    time: timeOf(record["ts"]),
    node: textOf(record["node"]),
    action: textOf(record["action"]),
    result: textOf(record["result"]),
    errcode: textOf(record["errcode"]),
    actor: textOf(actor["user_id"] ?? actor["type"]),
    actor_id: textOf(actor["pseudonym"]),
    device_id: textOf(actor["device_id"]),
    roles: Array.isArray(actor["roles"]) ? actor["roles"].join(" ") : "",
    token_id: textOf(actor["token_id"]),
    ip: textOf(actor["ip"]),
    user_agent: textOf(actor["user_agent"]),
    target_type: textOf(resource["type"]),
    target: textOf(resource["id"] ?? resource["pseudonym"]),
    reason: textOf(record["reason"]),
    case_id: textOf(record["case_id"]),
    approval_id: textOf(record["approval_id"]),
    before: textOf(record["before"]),
    after: textOf(record["after"]),
    request_id: textOf(record["request_id"]),
  };
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export const csvHead = `${COLUMNS.join(",")}\r\n`;

/** Spreadsheets run what begins so. */
const FORMULA = /^[=+\-@\t\r]/;

/** A line without its end. A text that a spreadsheet would run is told apart by a quote before it. */
export function csvLine(record: OpenedRecord): string {
  const row = flat(record);
  return COLUMNS.map((name) => {
    const text = row[name];
    const safe = FORMULA.test(text) ? `'${text}` : text;
    return `"${safe.replaceAll('"', '""')}"`;
  }).join(",");
}

const SEVERITY: Readonly<Record<string, number>> = {
  allowed: 3,
  failed: 5,
  denied: 7,
};

const headPart = (text: string): string =>
  oneLine(text).replace(/[\\|]/g, (sign) => `\\${sign}`);
const value = (text: string): string =>
  oneLine(text).replace(/[\\=]/g, (sign) => `\\${sign}`);
const oneLine = (text: string): string => text.replace(/[\r\n]+/g, " ");

/** ArcSight's Common Event Format, version 0. */
export function cefLine(record: OpenedRecord): string {
  const row = flat(record);
  const head = [
    ...["CEF:0", "Myelin", "Myelin", "1"],
    ...[headPart(row.action), headPart(`${row.action} ${row.result}`)],
    String(SEVERITY[row.result] ?? 5),
  ].join("|");
  const extension: JsonObject = {
    rt: Number(record["ts"]),
    externalId: row.seq,
    outcome: row.result,
    reason: row.errcode,
    suser: row.actor,
    src: row.ip,
    requestClientApplication: row.user_agent,
    duser: row.target_type === "user" ? row.target : "",
    cs1Label: "target",
    cs1: row.target,
    cs2Label: "targetType",
    cs2: row.target_type,
    cs3Label: "roles",
    cs3: row.roles,
    cs4Label: "requestId",
    cs4: row.request_id,
    cs5Label: "case",
    cs5: row.case_id,
    msg: row.reason,
  };
  const parts = Object.entries(extension).flatMap(([name, part]) =>
    part === "" ? [] : [`${name}=${value(textOf(part))}`],
  );
  return `${head}|${parts.join(" ")}`;
}
