import { readdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { must } from "./rooms.ts";
import type { Json, TestClient } from "./server.ts";

/** A red image of this size. */
export const imageOf = (
  width: number,
  height: number,
  format: "png" | "jpeg" | "webp" | "gif" | "avif" = "png",
): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: "red" } })
    .toFormat(format)
    .toBuffer();

/** An image of so many frames, each of another grey. */
export const animationOf = (
  width: number,
  height: number,
  frames: number,
  format: "gif" | "webp" = "gif",
): Promise<Buffer> => {
  const raw = Buffer.concat(
    Array.from({ length: frames }, (_, i) =>
      Buffer.alloc(width * height * 3, (i * 37) % 256),
    ),
  );
  const image = sharp(raw, {
    raw: { width, height: height * frames, channels: 3, pageHeight: height },
  });
  return image.toFormat(format).toBuffer();
};

/** Uploads a file and answers its media id. */
export async function upload(
  user: TestClient,
  bytes: Buffer | string,
  type?: string,
  name?: string,
): Promise<string> {
  const query =
    name === undefined ? "" : `?filename=${encodeURIComponent(name)}`;
  const answer = await user.ask(
    "POST",
    `/_matrix/media/v3/upload${query}`,
    bytes,
    { headers: type === undefined ? {} : { "content-type": type } },
  );
  return mediaIdOf(must(answer));
}

export const uploadImage = async (user: TestClient): Promise<string> =>
  upload(user, await imageOf(100, 50), "image/png");

export const mediaIdOf = ({ content_uri }: Json): string =>
  String(content_uri).split("/").at(-1) ?? "";

export const downloadPath = (mediaId: string): string =>
  `/_matrix/client/v1/media/download/test/${mediaId}`;

export const thumbnailPath = (
  mediaId: string,
  query: Record<string, string | number | boolean>,
): string => {
  const pairs = Object.entries(query).map(
    ([name, value]) => `${name}=${value}`,
  );
  return `/_matrix/client/v1/media/thumbnail/test/${mediaId}?${pairs.join("&")}`;
};

/** The files of a folder and all below it, without the folders. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, {
    recursive: true,
    withFileTypes: true,
  }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
