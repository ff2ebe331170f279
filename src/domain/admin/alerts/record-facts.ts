import { isJsonObject, type JsonObject } from "../../../core/json.ts";
import { limitKeyOf } from "../../../util/limit-key.ts";
import type { OpenedRecord } from "../open-records.ts";

/** What detectors look at in a record; what is sealed and erased is not there any more. */
export interface RecordFacts {
  seq: number;
  ts: number;
  action: string;
  isAllowed: boolean;
  isDenied: boolean;
  /** Who acted. */
  userId: string | undefined;
  ip: string | undefined;
  country: string | undefined;
  userAgent: string | undefined;
  /** The user whom it was about. */
  targetId: string | undefined;
  /** The role that was changed. */
  roleId: string | undefined;
  before: JsonObject;
  after: JsonObject;
}

const textIn = (part: JsonObject, name: string): string | undefined => {
  const value = part[name];
  return typeof value === "string" && value !== "" ? value : undefined;
};

export function factsOfRecord(record: OpenedRecord): RecordFacts {
  const { seq, actor, resource } = record;
  const { ts, action, result, before, after } = record;
  return {
    seq,
    ts: Number(ts),
    action: String(action),
    isAllowed: result === "allowed",
    isDenied: result === "denied",
    userId: textIn(actor, "user_id"),
    ip: textIn(actor, "ip"),
    country: textIn(actor, "country"),
    userAgent: textIn(actor, "user_agent"),
    targetId: resource["type"] === "user" ? textIn(resource, "id") : undefined,
    roleId: action === "roles.write" ? textIn(resource, "id") : undefined,
    before: isJsonObject(before) ? before : {},
    after: isJsonObject(after) ? after : {},
  };
}

/** What counts as one place where somebody guesses: an IPv4 address or an IPv6 /64. */
export const guesserOf = ({ ip }: RecordFacts): string | undefined =>
  ip === undefined ? undefined : limitKeyOf(ip);

/** What counts as one network where somebody is at home: an IPv4 /16 or an IPv6 /32. */
export function networkOf({ ip }: RecordFacts): string | undefined {
  if (ip === undefined) return undefined;
  if (!ip.includes(":")) return ip.split(".").slice(0, 2).join(".");
  return limitKeyOf(ip).split(":").slice(0, 2).join(":");
}

/** A client by its name, whatever version of it. */
export const clientOf = ({ userAgent }: RecordFacts): string | undefined =>
  userAgent?.replace(/[0-9][0-9._-]*/g, "#").slice(0, 256);
