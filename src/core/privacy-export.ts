import { sign, verify, type KeyObject } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";
import type { JsonObject } from "./json.ts";

export const EXPORT_FORMAT = "org.myelin.privacy_export";

/** What is vouched for: whose data, made when, and all that stands before the last line. */
export interface ExportFacts {
  server: string;
  user_id: string;
  made_ts: number;
  /** With the last one. */
  lines: number;
  /** Of the bytes before the last line, in hex. */
  sha256: string;
}

const bytesOf = ({ server, user_id, made_ts, lines, sha256 }: ExportFacts) => {
  const what = "myelin privacy export";
  const said: JsonObject = { server, user_id, made_ts, lines, sha256 };
  return Buffer.from(canonicalJson({ ...said, what }));
};

/** Base64. */
export const signExport = (facts: ExportFacts, key: KeyObject): string =>
  sign(null, bytesOf(facts), key).toString("base64");

export const isExport = (
  facts: ExportFacts,
  signature: string,
  key: KeyObject,
): boolean =>
  verify(null, bytesOf(facts), key, Buffer.from(signature, "base64"));
