import type { Edges } from "../../edges.ts";
import type { SyncToken } from "./sync-token.ts";

export type SyncEdges = Pick<
  Edges,
  "db" | "keyring" | "memory" | "notifier" | "now" | "settings" | "log"
>;

export interface SyncAnswer {
  text: string;
  /** Nothing in it is worth waking a client for. */
  isEmpty: boolean;
  token: SyncToken;
}

/** The sections of an answer, those of rooms and events as JSON text. */
export interface AnswerParts {
  token: string;
  join: readonly string[];
  leave: readonly string[];
  invite: readonly string[];
  knock: readonly string[];
  accountData: readonly string[];
  presence: readonly object[];
  toDevice: readonly string[];
  keyCounts: Readonly<Record<string, number>>;
  fallbackTypes: readonly string[];
  deviceLists: { changed: string[]; left: string[] } | null;
}

export const writeAnswer = (parts: AnswerParts): string => {
  const { join, leave, invite, knock, deviceLists } = parts;
  const lists =
    deviceLists === null
      ? ""
      : `,"device_lists":${JSON.stringify(deviceLists)}`;
  return `{"next_batch":${JSON.stringify(parts.token)},"rooms":{"join":{${join.join(",")}},"leave":{${leave.join(",")}},"invite":{${invite.join(",")}},"knock":{${knock.join(",")}}},"account_data":{"events":[${parts.accountData.join(",")}]},"presence":{"events":${JSON.stringify(parts.presence)}},"to_device":{"events":[${parts.toDevice.join(",")}]},"device_one_time_keys_count":${JSON.stringify(parts.keyCounts)},"device_unused_fallback_key_types":${JSON.stringify(parts.fallbackTypes)}${lists}}`;
};
