import { createHash, type Hash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";

export interface S3Place {
  Bucket: string;
  Key: string;
}

export const PART_BYTES = 8 * 1024 * 1024;
/** What an upload holds in memory: the part that comes in, and those that go out. */
export const PARTS_HELD = 3;

/**
 * Puts an object together of whatever comes, in parts where it is longer than one. Each part is
 * gathered in memory that is used again, so that an upload holds no more however long it is.
 * @param isSigned whether the store is told a hash of what it gets
 */
export async function uploadObject(
  client: S3Client,
  place: S3Place,
  content: AsyncIterable<Uint8Array>,
  isSigned: boolean,
): Promise<void> {
  const parts = new Parts(client, place);
  const fresh = () => new Part(isSigned);
  let part = fresh();
  try {
    for await (const chunk of content) {
      for (let at = 0; at < chunk.length;) {
        // Whether it is the last one is known when more has come.
        if (part.isFull) part = await parts.send(part, fresh);
        at += part.add(chunk, at);
      }
    }
    await parts.finish(part);
  } catch (error) {
    await parts.abort();
    throw error;
  }
}

/** Bytes on their way, and their hash where one is told. */
class Part {
  readonly #isSigned: boolean;
  // What is not written to takes no memory.
  readonly #buffer = Buffer.allocUnsafeSlow(PART_BYTES);
  #length = 0;
  #hash: Hash | undefined;

  constructor(isSigned: boolean) {
    this.#isSigned = isSigned;
    this.clear();
  }

  get isFull(): boolean {
    return this.#length === PART_BYTES;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Takes what there is room for, and tells how much. */
  add(chunk: Uint8Array, from: number): number {
    const taken = chunk.subarray(from, from + PART_BYTES - this.#length);
    this.#buffer.set(taken, this.#length);
    this.#length += taken.length;
    this.#hash?.update(taken);
    return taken.length;
  }

  clear(): void {
    this.#length = 0;
    this.#hash = this.#isSigned ? createHash("sha256") : undefined;
  }

  /** What stands for the bytes in the signature of the request that carries them. */
  digest(): string {
    return this.#hash?.digest("hex") ?? "UNSIGNED-PAYLOAD";
  }
}

/** The parts of one object: some have arrived, some are under way. */
class Parts {
  readonly #client: S3Client;
  readonly #place: S3Place;
  readonly #arrived: CompletedPart[] = [];
  readonly #underWay = new Set<Promise<Part>>();
  readonly #cancel = new AbortController();
  #uploadId: string | undefined;
  #count = 0;

  constructor(client: S3Client, place: S3Place) {
    this.#client = client;
    this.#place = place;
  }

  /** Sends a part, and answers with an empty one as soon as there is one. */
  async send(part: Part, fresh: () => Part): Promise<Part> {
    this.#uploadId ??= await this.#begin();
    const sent = this.#put(part, (this.#count += 1));
    this.#underWay.add(sent);
    // Heard of where it is waited for.
    sent.catch(() => undefined);
    if (this.#underWay.size < PARTS_HELD) return fresh();
    const first = await Promise.race(
      [...this.#underWay].map(async (one) => ({ one, part: await one })),
    );
    this.#underWay.delete(first.one);
    first.part.clear();
    return first.part;
  }

  /** With the last part, the object is there. */
  async finish(last: Part): Promise<void> {
    if (this.#uploadId === undefined) {
      const command = new PutObjectCommand({
        ...this.#place,
        Body: last.bytes,
      });
      await this.#client.send(withDigest(command, last.digest()));
      return;
    }
    await Promise.all([...this.#underWay, this.#put(last, this.#count + 1)]);
    const Parts = this.#arrived.toSorted(
      (a, b) => a.PartNumber! - b.PartNumber!,
    );
    await this.#client.send(
      new CompleteMultipartUploadCommand({
        ...this.#place,
        UploadId: this.#uploadId,
        MultipartUpload: { Parts },
      }),
    );
  }

  /** That it is given up may fail too, and is not what went wrong. */
  async abort(): Promise<void> {
    this.#cancel.abort();
    await Promise.allSettled(this.#underWay);
    const UploadId = this.#uploadId;
    if (UploadId === undefined) return;
    await this.#client
      .send(new AbortMultipartUploadCommand({ ...this.#place, UploadId }))
      .catch(() => undefined);
  }

  async #begin(): Promise<string> {
    const { UploadId } = await this.#client.send(
      new CreateMultipartUploadCommand(this.#place),
    );
    if (UploadId === undefined) throw new Error("The store begins no upload.");
    return UploadId;
  }

  async #put(part: Part, PartNumber: number): Promise<Part> {
    const command = new UploadPartCommand({
      ...this.#place,
      UploadId: this.#uploadId,
      PartNumber,
      Body: part.bytes,
    });
    const { ETag } = await this.#client.send(
      withDigest(command, part.digest()),
      { abortSignal: this.#cancel.signal },
    );
    this.#arrived.push({ ETag, PartNumber });
    return part;
  }
}

/** Untold, the client's library hashes the whole part at once, and the process stands still meanwhile. */
function withDigest<Command extends PutObjectCommand | UploadPartCommand>(
  command: Command,
  digest: string,
): Command {
  (command as PutObjectCommand).middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { headers: Record<string, string> };
      headers["x-amz-content-sha256"] = digest;
      return next(args);
    },
    { step: "build", name: "toldDigest" },
  );
  return command;
}
