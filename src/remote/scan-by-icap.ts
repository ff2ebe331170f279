import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { ScanRequest, ScanVerdict } from "./egress.ts";
import { EgressError } from "./egress-error.ts";
import {
  headOf,
  readChunkedBody,
  readEncapsulated,
  readIcapHead,
  type IcapHead,
  type IcapTarget,
} from "./icap-messages.ts";
import { ScannedContent } from "./scanned-content.ts";
import { WireReader } from "./wire-reader.ts";

export interface IcapCall {
  target: IcapTarget;
  connect(): Promise<Socket>;
}

const MAX_PREVIEW_BYTES = 64 * 1024;
/** By these, scanners say what they have found. */
const FINDINGS = ["x-infection-found", "x-virus-id", "x-violations-found"];

/**
 * Has an ICAP service look at a file (RESPMOD): what it would leave as it is, is
 * clean; what it would put something else in the place of, is refused.
 * https://www.rfc-editor.org/rfc/rfc3507
 */
export async function scanByIcap(
  call: IcapCall,
  file: ScanRequest,
): Promise<ScanVerdict> {
  const content = new ScannedContent(file.body, file.size);
  try {
    const preview = await askPreview(call);
    return await withSocket(call, async (socket, reader) => {
      const beginning = preview === null ? null : await content.begin(preview);
      const isAll = beginning !== null && content.isWhole;
      socket.write(respmodHead(call.target, file, beginning));
      if (beginning !== null) {
        if (beginning.length > 0) writeChunk(socket, beginning);
        socket.write(isAll ? "0; ieof\r\n\r\n" : "0\r\n\r\n");
        const head = await readIcapHead(reader);
        if (isAll || head.status !== 100)
          return judge(reader, head, file, content);
      }
      return sendRest(socket, reader, file, content);
    });
  } finally {
    await content.close();
  }
}

/** How much of a file the service wants to see first; null where it wants all at once. */
async function askPreview(call: IcapCall): Promise<number | null> {
  const { status, headers } = await withSocket(call, (socket, reader) => {
    socket.write(
      headOf(`OPTIONS ${call.target.uri} ICAP/1.0`, {
        ...commonHeaders(call.target),
        Encapsulated: "null-body=0",
      }),
    );
    return readIcapHead(reader);
  });
  const methods = headers.get("methods") ?? "RESPMOD";
  const knowsMethod = methods.split(/[, ]+/).includes("RESPMOD");
  if (status !== 200 || !knowsMethod) throw new EgressError("unreadable");
  const preview = headers.get("preview");
  if (preview === undefined) return null;
  if (!/^[0-9]{1,10}$/.test(preview)) throw new EgressError("unreadable");
  return Math.min(Number(preview), MAX_PREVIEW_BYTES);
}

const commonHeaders = ({ uri }: IcapTarget) => ({
  Host: new URL(uri).host,
  "User-Agent": "Myelin",
  Connection: "close",
});

function respmodHead(
  target: IcapTarget,
  { resource, contentType, size }: ScanRequest,
  beginning: Buffer | null,
): string {
  const asked = new URL(resource);
  const request = headOf(`GET ${asked.href} HTTP/1.1`, { Host: asked.host });
  const response = headOf("HTTP/1.1 200 OK", {
    "Content-Type": contentType,
    "Content-Length": size,
  });
  const ends = [request.length, request.length + response.length];
  const head = headOf(`RESPMOD ${target.uri} ICAP/1.0`, {
    ...commonHeaders(target),
    Allow: "204",
    ...(beginning && { Preview: beginning.length }),
    Encapsulated: `req-hdr=0, res-hdr=${ends[0]}, res-body=${ends[1]}`,
  });
  return head + request + response;
}

/** The service may answer before it was sent everything, and then needs no more. */
async function sendRest(
  socket: Socket,
  reader: WireReader,
  file: ScanRequest,
  content: ScannedContent,
): Promise<ScanVerdict> {
  const answered = new AbortController();
  const { signal } = answered;
  const sent = send(socket, content, signal).catch((error: unknown) => {
    // Of what was not sent to its end nobody may say anything.
    if (!signal.aborted) socket.destroy();
    throw error;
  });
  const answer = readIcapHead(reader)
    .then((head) => judge(reader, head, file, content, sent))
    .finally(() => answered.abort());
  const [verdict, sending] = await Promise.allSettled([answer, sent]);
  if (verdict.status === "fulfilled") return verdict.value;
  const isOwnFault = sending.status === "rejected" && !isAbort(sending.reason);
  throw isOwnFault ? sending.reason : verdict.reason;
}

const isAbort = (error: unknown): boolean =>
  error instanceof Error && error.name === "AbortError";

async function send(
  socket: Socket,
  content: ScannedContent,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of content.rest()) {
    if (signal.aborted) return;
    writeChunk(socket, chunk);
    if (socket.writableNeedDrain) await once(socket, "drain", { signal });
  }
  socket.write("0\r\n\r\n");
}

function writeChunk(socket: Socket, chunk: Uint8Array): void {
  socket.cork();
  socket.write(`${chunk.length.toString(16)}\r\n`);
  socket.write(chunk);
  socket.write("\r\n");
  socket.uncork();
}

async function judge(
  reader: WireReader,
  head: IcapHead,
  { size }: ScanRequest,
  content: ScannedContent,
  sent: Promise<void> = Promise.resolve(),
): Promise<ScanVerdict> {
  if (head.status === 204) return "clean";
  if (head.status !== 200) throw new EgressError("unreadable");
  if (FINDINGS.some((name) => head.headers.has(name))) return "refused";
  const { status, hasBody } = await readEncapsulated(reader, head);
  if (status !== 200 || !hasBody) return "refused";
  // A service that knows no 204 gives back what it leaves as it is.
  const hash = createHash("sha256");
  let seen = 0;
  for await (const part of readChunkedBody(reader)) {
    seen += part.length;
    if (seen > size) return "refused";
    hash.update(part);
  }
  await sent;
  const digest = content.digest();
  return digest && hash.digest().equals(digest) ? "clean" : "refused";
}

async function withSocket<T>(
  { connect }: IcapCall,
  use: (socket: Socket, reader: WireReader) => Promise<T>,
): Promise<T> {
  const socket = await connect();
  try {
    return await use(socket, new WireReader(socket));
  } finally {
    socket.destroy();
  }
}
