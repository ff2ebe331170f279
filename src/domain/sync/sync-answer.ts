import type { Edges } from "../../edges.ts";
import type { SyncToken } from "./sync-token.ts";

export type SyncEdges = Pick<
  Edges,
  | "db"
  | "keyring"
  | "memory"
  | "notifier"
  | "now"
  | "settings"
  | "log"
  | "policies"
  | "asker"
  | "decided"
>;

export interface AnswerText {
  text: string;
  /** What follows the text, read as it is asked for; absent where the text is all. */
  rest?: AsyncIterable<string>;
}

export interface SyncAnswer extends AnswerText {
  /** Nothing in it is worth waking a client for. */
  isEmpty: boolean;
  token: SyncToken;
}

/** The sections of an answer without the rooms joined and left; rooms and events as JSON text. */
export interface AnswerParts {
  token: string;
  invite: readonly string[];
  knock: readonly string[];
  accountData: readonly string[];
  presence: readonly object[];
  toDevice: readonly string[];
  keyCounts: Readonly<Record<string, number>>;
  fallbackTypes: readonly string[];
  deviceLists: { changed: string[]; left: string[] } | null;
}

/** The answer as far as the rooms. */
export const openAnswer = (parts: AnswerParts): string => {
  const { invite, knock, deviceLists } = parts;
  const lists =
    deviceLists === null
      ? ""
      : `,"device_lists":${JSON.stringify(deviceLists)}`;
  return `{"next_batch":${JSON.stringify(parts.token)},"account_data":{"events":[${parts.accountData.join(",")}]},"presence":{"events":${JSON.stringify(parts.presence)}},"to_device":{"events":[${parts.toDevice.join(",")}]},"device_one_time_keys_count":${JSON.stringify(parts.keyCounts)},"device_unused_fallback_key_types":${JSON.stringify(parts.fallbackTypes)}${lists},"rooms":{"invite":{${invite.join(",")}},"knock":{${knock.join(",")}},"join":{`;
};

/** An entry of `rooms`. */
export interface AnsweredRoom {
  section: "join" | "leave";
  roomId: string;
  text: string;
}

/** Writes the rooms by and by; those that were left come after all that are joined. */
export class RoomsWriter {
  #section: AnsweredRoom["section"] = "join";
  #separator = "";

  write(rooms: readonly AnsweredRoom[]): string {
    const pieces: string[] = [];
    for (const { section, roomId, text } of rooms) {
      if (section !== this.#section) pieces.push(this.#openLeft());
      pieces.push(this.#separator, JSON.stringify(roomId), ":", text);
      this.#separator = ",";
    }
    return pieces.join("");
  }

  close(): string {
    return `${this.#section === "join" ? this.#openLeft() : ""}}}}`;
  }

  #openLeft(): string {
    this.#section = "leave";
    this.#separator = "";
    return '},"leave":{';
  }
}

/** An answer whose rooms are all at hand. */
export function writeAnswer(
  parts: AnswerParts,
  rooms: readonly AnsweredRoom[],
): string {
  const writer = new RoomsWriter();
  return openAnswer(parts) + writer.write(rooms) + writer.close();
}
