import { EgressError } from "./egress-error.ts";
import type { WireReader } from "./wire-reader.ts";

/** Where an ICAP service is. */
export interface IcapTarget {
  host: string;
  port: number;
  /** As its requests name it. */
  uri: string;
}

export interface IcapHead {
  status: number;
  /** Lower-case names; of what came several times, the values with commas between. */
  headers: ReadonlyMap<string, string>;
}

/** Of a status line and its headers, or of what is encapsulated of those. */
const MAX_HEAD_BYTES = 16 * 1024;
const MAX_SIZE_LINE = 256;
const CRLF = Buffer.from("\r\n");
const NO_CONTROLS = /^[\x20-\x7e]*$/;

/** A request's or an answer's head; nothing in it begins another line. */
export function headOf(
  first: string,
  headers: Readonly<Record<string, string | number>>,
): string {
  const lines = [
    first,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  if (!lines.every((line) => NO_CONTROLS.test(line)))
    throw new TypeError("A header holds what begins another one.");
  return `${lines.join("\r\n")}\r\n\r\n`;
}

export async function readIcapHead(reader: WireReader): Promise<IcapHead> {
  let left = MAX_HEAD_BYTES;
  const next = async () => {
    const line = await reader.readLine(left);
    left -= line.length + 2;
    return line;
  };
  const [, status] =
    /^ICAP\/1\.[0-9] ([1-5][0-9]{2})(?: |$)/.exec(await next()) ?? [];
  if (status === undefined) throw unreadable();
  const headers = new Map<string, string>();
  for (let line = await next(); line !== ""; line = await next()) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw unreadable();
    const value = line.slice(colon + 1).trim();
    const known = headers.get(name);
    headers.set(name, known === undefined ? value : `${known}, ${value}`);
  }
  return { status: Number(status), headers };
}

/** The answer of a web server that an answer encapsulates. */
export interface Encapsulated {
  /** 200 where its head is left out. */
  status: number;
  hasBody: boolean;
}

export async function readEncapsulated(
  reader: WireReader,
  { headers }: IcapHead,
): Promise<Encapsulated> {
  const parts =
    /^(?:res-hdr=0, *)?(res-body|null-body)=([0-9]{1,6})$/.exec(
      headers.get("encapsulated") ?? "",
    ) ?? [];
  const [text = "", body] = parts;
  const length = Number(parts[2]);
  const hasHead = text.startsWith("res-hdr");
  if (text === "" || (!hasHead && length !== 0)) throw unreadable();
  if (length > MAX_HEAD_BYTES) throw new EgressError("large");
  const head = (await reader.readAll(length)).toString("latin1");
  const [, status] = /^HTTP\/1\.[01] ([1-5][0-9]{2})[ \r]/.exec(head) ?? [];
  if (hasHead && status === undefined) throw unreadable();
  return { status: Number(status ?? 200), hasBody: body === "res-body" };
}

/** The bytes of a body that comes in chunks, up to its last one. */
export async function* readChunkedBody(
  reader: WireReader,
): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    const line = await reader.readLine(MAX_SIZE_LINE);
    const [, digits] = /^([0-9a-f]{1,12})(?:[ \t]*;.*)?$/i.exec(line) ?? [];
    if (digits === undefined) throw unreadable();
    const length = parseInt(digits, 16);
    if (length === 0) return;
    for (let left = length; left > 0;) {
      const part = await reader.readSome(left);
      left -= part.length;
      yield part;
    }
    if (!(await reader.readAll(2)).equals(CRLF)) throw unreadable();
  }
}

const unreadable = (): EgressError => new EgressError("unreadable");
