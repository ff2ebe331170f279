// The entry of the process that decodes images: one at a time, with nothing to lose.
// Its input and output are the only things that it has.
import sharp from "sharp";
import type { ThumbnailFailure } from "../core/thumbnail.ts";
import { ByteReader } from "../util/byte-reader.ts";
import {
  encodeAnswer,
  MOST_BYTES,
  readQuestion,
  type ThumbnailQuestion,
} from "./thumbnail-messages.ts";

// Nothing but these decoders, whatever an image says that it is.
sharp.block({ operation: ["VipsForeignLoad"] });
sharp.unblock({
  operation: [
    "VipsForeignLoadJpegBuffer",
    "VipsForeignLoadPngBuffer",
    "VipsForeignLoadWebpBuffer",
    "VipsForeignLoadNsgifBuffer",
    "VipsForeignLoadHeifBuffer",
  ],
});
sharp.cache(false);
sharp.concurrency(1);

const SECONDS = 8;
/** An animation of more frames is shown by its first one. */
const MOST_FRAMES = 300;

interface Made {
  contentType: string;
  bytes: Buffer;
}

async function make(
  file: Buffer,
  wish: ThumbnailQuestion,
): Promise<Made | { failure: ThumbnailFailure }> {
  const {
    format,
    hasAlpha,
    height,
    pages = 1,
    width,
  } = await sharp(file, {
    limitInputPixels: false,
  }).metadata();
  const pixels = width * height;
  if (pixels > wish.maxPixels) return { failure: "too-large" };
  const moves =
    wish.isAnimated &&
    pages > 1 &&
    pages <= MOST_FRAMES &&
    pixels * pages <= wish.maxPixels;
  if (moves) {
    const made = await resized(file, wish, -1)
      .webp({ quality: 75, effort: 2 })
      .toBuffer();
    if (made.length <= MOST_BYTES)
      return { contentType: "image/webp", bytes: made };
  }
  const still = resized(file, wish, 1);
  return hasAlpha || format === "png"
    ? { contentType: "image/png", bytes: await still.png().toBuffer() }
    : {
        contentType: "image/jpeg",
        bytes: await still.jpeg({ quality: 80 }).toBuffer(),
      };
}

const resized = (
  file: Buffer,
  { height, maxPixels, method, width }: ThumbnailQuestion,
  pages: number,
) => {
  const image = sharp(file, {
    pages,
    limitInputPixels: maxPixels,
    failOn: "error",
  }).timeout({ seconds: SECONDS });
  return (pages === 1 ? image.autoOrient() : image).resize({
    width,
    height,
    fit: method === "crop" ? "cover" : "inside",
    withoutEnlargement: true,
  });
};

const input = new ByteReader(process.stdin);
for (;;) {
  const question = await readQuestion(input);
  if (!question) break;
  const file = await input.read(question.bytes);
  if (!file) break;
  const image = Buffer.from(file.buffer, file.byteOffset, file.length);
  const made = await make(image, question).catch(() => ({
    failure: "undecodable" as const,
  }));
  if ("failure" in made) {
    process.stdout.write(encodeAnswer(made));
  } else {
    const { bytes, contentType } = made;
    process.stdout.write(encodeAnswer({ contentType, bytes: bytes.length }));
    process.stdout.write(bytes);
  }
}
