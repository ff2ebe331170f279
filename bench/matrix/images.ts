import { randomBytes } from "node:crypto";
import { Agent, get } from "node:http";
import sharp from "sharp";
import type { Caller } from "./files.ts";

/** How many thumbnails are asked for at once. */
const AT_ONCE = 100;

/** What a photograph of 4 to 3 is made to fit into. */
export const SIZE = { width: 320, height: 240 };

export const thumbnailPath = (id: string): string =>
  `/_matrix/client/v1/media/thumbnail/${id}?width=${SIZE.width}&height=${SIZE.height}&method=scale`;

/** The ids of photographs of noise, each another one. */
export async function uploadImages(
  { url, token }: Caller,
  count: number,
): Promise<string[]> {
  const [width, height] = [1600, 1200];
  const noise = randomBytes(width * height * 3);
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    noise.writeUInt32BE(i);
    const raw = { width, height, channels: 3 } as const;
    const image = await sharp(noise, { raw }).jpeg().toBuffer();
    const response = await fetch(`${url}/_matrix/media/v3/upload`, {
      method: "POST",
      body: new Uint8Array(image),
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "image/jpeg",
      },
    });
    const { content_uri } = (await response.json()) as { content_uri: string };
    ids.push(content_uri.slice("mxc://".length));
  }
  return ids;
}

/** Asks for a thumbnail of each image, and tells what went wrong. */
export async function makeThumbnails(
  { url, token }: Caller,
  ids: readonly string[],
): Promise<string[]> {
  const left = [...ids];
  const failures: string[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const headers = { authorization: `Bearer ${token}` };
  /** Not by fetch, which costs so much that what is beside it would be late of that. */
  const ask = (path: string) =>
    new Promise<number>((resolve, reject) => {
      get(`${url}${path}`, { agent, headers }, (response) => {
        response.on("end", () => resolve(response.statusCode ?? 0)).resume();
      }).on("error", reject);
    });
  const lane = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const status = await ask(thumbnailPath(id));
      if (status !== 200) failures.push(`${id}: ${status}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } finally {
    agent.destroy();
  }
  return failures;
}
