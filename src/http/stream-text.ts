import { Readable } from "node:stream";

/** Sends a text and what follows it, which is read as fast as the client takes it. */
export const streamText = (
  text: string,
  rest: AsyncIterable<string>,
  onFault: (error: unknown) => void,
): Readable => Readable.from(follow(text, rest, onFault));

/** The status has left by then: all that is left is to end in the middle, which the client sees. */
async function* follow(
  text: string,
  rest: AsyncIterable<string>,
  onFault: (error: unknown) => void,
): AsyncGenerator<string> {
  yield text;
  try {
    yield* rest;
  } catch (error) {
    onFault(error);
    throw error;
  }
}
