import { randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Who sends and fetches files, and of which server. */
export interface Caller {
  readonly url: string;
  readonly token: string;
}

export const MIB = 1024 * 1024;

/** What of a file is its own: each of its mebibytes is this one with its number in front. */
export type FileSeed = Buffer;

export const makeSeed = (): FileSeed => randomBytes(MIB);

function numbered(block: Buffer, number: number): Buffer {
  block.writeUInt32BE(number);
  return block;
}

/** The id of a file that is made while it is sent. */
export async function sendFile(
  caller: Caller,
  seed: FileSeed,
  mebibytes: number,
): Promise<string> {
  function* blocks() {
    for (let i = 0; i < mebibytes; i += 1) yield numbered(Buffer.from(seed), i);
  }
  const body = { length: mebibytes * MIB, blocks: blocks() };
  const path = "/_matrix/media/v3/upload";
  const response = await ask(caller, "POST", path, body);
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  if (response.statusCode !== 200) throw new Error(`no upload: ${text}`);
  const { content_uri } = JSON.parse(text) as { content_uri: string };
  return content_uri.slice("mxc://".length);
}

/** Whether what comes down is what was sent. */
export async function fetchFile(
  caller: Caller,
  id: string,
  seed: FileSeed,
  mebibytes: number,
): Promise<boolean> {
  const path = `/_matrix/client/v1/media/download/${id}`;
  const response = await ask(caller, "GET", path);
  const block = Buffer.from(seed);
  let at = 0;
  let isSame = response.statusCode === 200;
  for await (const part of response) {
    const chunk = part as Buffer;
    for (let from = 0; from < chunk.length;) {
      const within = at % MIB;
      numbered(block, Math.floor(at / MIB));
      const length = Math.min(chunk.length - from, MIB - within);
      const differs = chunk.compare(
        block,
        within,
        within + length,
        from,
        from + length,
      );
      if (differs !== 0) isSame = false;
      from += length;
      at += length;
    }
  }
  return isSame && at === mebibytes * MIB;
}

function ask(
  { url, token }: Caller,
  method: string,
  path: string,
  body?: { length: number; blocks: Iterable<Buffer> },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${url}${path}`,
      {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/octet-stream",
          ...(body && { "content-length": body.length }),
        },
      },
      resolve,
    );
    request.on("error", reject);
    if (body) pipeline(Readable.from(body.blocks), request).catch(reject);
    else request.end();
  });
}
