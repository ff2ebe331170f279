import { createReadStream } from "node:fs";
import { StartError } from "./start-error.ts";

const LINE_FEED = 0x0a;

/** The lines of a file, as bytes: what was signed is not decoded, and nothing else ends a line. */
export async function* readLines(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      let from = 0;
      for (
        let end = chunk.indexOf(LINE_FEED);
        end !== -1;
        end = chunk.indexOf(LINE_FEED, from)
      ) {
        yield Buffer.concat([...rest, chunk.subarray(from, end)]);
        rest = [];
        from = end + 1;
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
    }
  } catch (error) {
    throw new StartError(`${path} cannot be read: ${(error as Error).message}`);
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}
