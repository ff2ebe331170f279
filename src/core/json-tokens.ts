import { endOfString } from "./json-scan.ts";
import { noteNumberToken } from "./json-numbers.ts";
import { emptyJsonObject, type JsonObject, type JsonValue } from "./json.ts";

const SCALAR = /[^\s,\]}]+/y;

/**
 * Parses text that `JSON.parse` accepts, noting each number that would be
 * written in another way. The slow way: only for texts that hold such numbers.
 */
export function parseKeepingNumberTokens(text: string): JsonValue {
  const root: JsonValue[] = [];
  const holders: (JsonObject | JsonValue[])[] = [root];
  const keys: string[] = [""];
  let index = 0;

  const put = (value: JsonValue, token?: string): void => {
    const holder = holders.at(-1)!;
    const key = Array.isArray(holder) ? String(holder.length) : keys.at(-1)!;
    if (Array.isArray(holder)) holder.push(value);
    else holder[key] = value;
    if (token !== undefined && String(value) !== token) {
      noteNumberToken(holder, key, token);
    }
  };

  while (index < text.length) {
    const char = text.charAt(index);
    if (char === '"') {
      const end = endOfString(text, index) + 1;
      const string = JSON.parse(text.slice(index, end)) as string;
      index = end;
      if (isKey(text, index)) keys[keys.length - 1] = string;
      else put(string);
    } else if (char === "{" || char === "[") {
      const holder = char === "{" ? emptyJsonObject() : [];
      put(holder);
      holders.push(holder);
      keys.push("");
      index++;
    } else if (char === "}" || char === "]") {
      holders.pop();
      keys.pop();
      index++;
    } else if (" \t\r\n,:".includes(char)) {
      index++;
    } else {
      SCALAR.lastIndex = index;
      const token = SCALAR.exec(text)![0];
      index += token.length;
      const value = JSON.parse(token) as JsonValue;
      put(value, typeof value === "number" ? token : undefined);
    }
  }
  return root[0]!;
}

/** Whether the string that ended before `index` is a key: a colon follows. */
function isKey(text: string, index: number): boolean {
  let next = index;
  while (" \t\r\n".includes(text.charAt(next))) next++;
  return text.charAt(next) === ":";
}
