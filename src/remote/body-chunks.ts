import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { EgressError } from "./egress-error.ts";

/** The bytes of a body, uncompressed, up to a limit that they may not pass. */
export async function* readChunks(
  source: Readable,
  coding: string,
  maxBytes: number,
): AsyncGenerator<Buffer, void, undefined> {
  let size = 0;
  for await (const chunk of decode(source, coding)) {
    size += (chunk as Buffer).length;
    if (size > maxBytes) throw new EgressError("large");
    yield chunk as Buffer;
  }
}

/** One coding at most, the one that we ask for. */
function decode(source: Readable, coding: string): Readable {
  if (coding === "" || coding === "identity") return source;
  if (coding !== "gzip" && coding !== "x-gzip")
    throw new EgressError("unreadable");
  const decoder = createGunzip();
  pipeline(source, decoder, () => undefined);
  return decoder;
}
