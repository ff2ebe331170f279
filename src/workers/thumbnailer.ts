import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { ThumbnailFailure } from "../core/thumbnail.ts";
import { ByteReader } from "../util/byte-reader.ts";
import { createLoopMeter, restFor } from "../util/loop-load.ts";
import { startDecodingProcess } from "./decoding-process.ts";
import {
  encodeQuestion,
  readAnswer,
  type ThumbnailWish,
} from "./thumbnail-messages.ts";

export interface Thumbnail {
  contentType: string;
  bytes: Uint8Array;
}

/** Makes thumbnails in a process of its own, which holds nothing and may die of any image. */
export interface Thumbnailer {
  /** Rejects only where the file cannot be read. */
  make(
    wish: ThumbnailWish,
    size: number,
    file: AsyncIterable<Uint8Array>,
  ): Promise<Thumbnail | { failure: ThumbnailFailure }>;
  /** Ends the process; what waits fails. */
  close(): Promise<void>;
}

const MOST_WAITING = 200;
/** What one image may take once it is there. */
const LONGEST_MS = 10_000;
const IDLE_MS = 30_000;
/** An image takes some milliseconds where the machine has time for it. */
const PATIENCE_MS = 250;
/**
 * Between two images: what one takes in the serving thread, to read and to store it, comes
 * in the way of others.
 */
const RESTS = { mostTimes: 30, longestMs: 250 };

export function createThumbnailer({
  mostWaiting = MOST_WAITING,
  longestMs = LONGEST_MS,
  patienceMs = PATIENCE_MS,
} = {}): Thumbnailer {
  let decoder: Decoder | undefined;
  let idle: NodeJS.Timeout | undefined;
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  const measureLoop = createLoopMeter();

  const end = () => {
    decoder?.end();
    decoder = undefined;
  };

  const makeNow: Thumbnailer["make"] = async (wish, size, file) => {
    if (isClosed) return { failure: "busy" };
    clearTimeout(idle);
    const used = (decoder ??= startDecoder(longestMs, patienceMs));
    try {
      const made = await used.decode({ ...wish, bytes: size }, file);
      return made ?? { failure: "undecodable" };
    } finally {
      if (!used.isIdle()) end();
      idle = setTimeout(end, IDLE_MS).unref();
    }
  };

  return {
    async make(...asked) {
      if (isClosed || waiting >= mostWaiting) return { failure: "busy" };
      waiting += 1;
      let begunAt = 0;
      const made = last.then(() => {
        begunAt = performance.now();
        return makeNow(...asked);
      });
      last = made
        .catch(() => undefined)
        .then(() => {
          waiting -= 1;
          return rest(performance.now() - begunAt, measureLoop());
        });
      return made;
    },
    async close() {
      isClosed = true;
      clearTimeout(idle);
      // What it was at has failed with it; a file that is read slowly is not waited for.
      end();
    },
  };
}

const rest = (tookMs: number, utilization: number): Promise<void> =>
  sleep(restFor(tookMs, utilization, RESTS), undefined, { ref: false });

interface Decoder {
  /** Undefined where the process died of it. */
  decode(
    question: ThumbnailWish & { bytes: number },
    file: AsyncIterable<Uint8Array>,
  ): Promise<Thumbnail | { failure: ThumbnailFailure } | undefined>;
  /** False after a file that was not sent whole, or that was not answered. */
  isIdle(): boolean;
  end(): void;
}

function startDecoder(longestMs: number, patienceMs: number): Decoder {
  const process_ = startDecodingProcess();
  const answers = new ByteReader(process_.stdout);
  let isIdle = true;
  /** As it begins: in that class a program may wait for long to be able to do anything. */
  let hasShare = true;

  const answer = async () => {
    const head = await readAnswer(answers);
    if (head === undefined || "failure" in head) return head;
    const { bytes: length, contentType } = head;
    const bytes = await answers.read(length);
    return bytes && { contentType, bytes };
  };

  return {
    async decode(question, file) {
      isIdle = false;
      const patience = setTimeout(() => {
        hasShare = true;
        process_.takeShare();
      }, patienceMs);
      let timer: NodeJS.Timeout | undefined;
      try {
        const head = encodeQuestion(question);
        if (!(await send(process_.stdin, head, file))) return undefined;
        timer = setTimeout(() => process_.kill(), longestMs);
        const made = await answer().catch(() => undefined);
        isIdle = made !== undefined;
        return made;
      } finally {
        clearTimeout(timer);
        clearTimeout(patience);
        if (hasShare) process_.yieldToAll();
        hasShare = false;
      }
    },
    isIdle: () => isIdle,
    end: () => process_.kill(),
  };
}

/** False where nobody reads any more. */
async function send(
  to: Writable,
  head: Buffer,
  file: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  to.write(head);
  for await (const chunk of file) {
    if (!to.writable) return false;
    if (!to.write(chunk)) await drained(to);
  }
  return to.writable;
}

/** When it takes more, or nothing any more. */
const drained = (stream: Writable): Promise<void> =>
  new Promise((resolve) => {
    const go = () => {
      stream.off("drain", go).off("close", go);
      resolve();
    };
    stream.on("drain", go).on("close", go);
    if (stream.closed) go();
  });
