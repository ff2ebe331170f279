import { mkdir, open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BlobDamaged, type BlobStore } from "../util/blob-store.ts";

/** What is written and read at once. */
const PIECE_BYTES = 512 * 1024;
/** What is sent to the disk while more comes, so that the end need not wait for all of it. */
const FLUSH_BYTES = 32 * 1024 * 1024;

const NAME = /^[a-z0-9]{16,64}$/;

/** Blobs as files of a folder, below the first two letters of their names. */
export function createFolderStore(folder: string): BlobStore {
  const unfinished = join(folder, "unfinished");

  const placeOf = (name: string) => {
    if (!NAME.test(name)) throw new TypeError(`${name} is no name of a blob.`);
    const parent = join(folder, name.slice(0, 2));
    return {
      parent,
      file: join(parent, name),
      temporary: join(unfinished, name),
    };
  };

  return {
    async put(name, content) {
      const { parent, file, temporary } = placeOf(name);
      await makeFolder(folder, unfinished);
      await makeFolder(folder, parent);
      const handle = await open(temporary, "wx", 0o600);
      try {
        await write(handle, content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, file);
      await syncFolder(parent);
    },

    async *read(name, start, length) {
      const handle = await openExisting(placeOf(name).file);
      try {
        yield* readPart(handle, start, length);
      } finally {
        await handle.close();
      }
    },

    async remove(name) {
      const { file, temporary } = placeOf(name);
      await rm(temporary, { force: true });
      await rm(file, { force: true });
    },
  };
}

async function openExisting(file: string): Promise<FileHandle> {
  try {
    return await open(file, "r");
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw isMissing ? new BlobDamaged("A blob is missing.") : cause;
  }
}

async function* readPart(
  handle: FileHandle,
  start: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  const end = start + length;
  const readAt = (at: number) => {
    const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - at));
    return handle.read(buffer, 0, buffer.length, at);
  };
  for (let at = start; at < end;) {
    const { buffer, bytesRead } = await readAt(at);
    if (bytesRead === 0) throw new BlobDamaged("A blob ends too early.");
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function write(
  handle: FileHandle,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  let pieces: Uint8Array[] = [];
  let held = 0;
  let unflushed = 0;
  let flushing: Promise<void> | undefined;
  const flush = async () => {
    await writeAll(handle, pieces, held);
    unflushed += held;
    pieces = [];
    held = 0;
  };
  try {
    for await (const chunk of content) {
      pieces.push(chunk);
      held += chunk.length;
      if (held >= PIECE_BYTES) await flush();
      if (unflushed < FLUSH_BYTES) continue;
      unflushed = 0;
      await flushing;
      flushing = handle.datasync();
      // Awaited later; until then nobody hears of its failure.
      flushing.catch(() => undefined);
    }
    if (held > 0) await flush();
  } finally {
    await flushing;
  }
}

/** A disk that is nearly full takes a part and says no to the rest. */
async function writeAll(
  handle: FileHandle,
  pieces: Uint8Array[],
  length: number,
): Promise<void> {
  let { bytesWritten } = await handle.writev(pieces);
  if (bytesWritten === length) return;
  const whole = Buffer.concat(pieces);
  while (bytesWritten < length)
    bytesWritten += (await handle.write(whole, bytesWritten)).bytesWritten;
}

/** Below `root`, which may have to be made too. */
async function makeFolder(root: string, folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  await syncFolder(root);
  await syncFolder(dirname(made));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
