// Files as clients upload and download them.
import { type Answer, path } from "./client.ts";
import type { User } from "./user.ts";

/** A red pixel. */
export const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC",
  "base64",
);

const UPLOAD = "/_matrix/media/v3/upload";

/** The endpoints of now, and those that want no token. */
export const AUTHENTICATED = "/_matrix/client/v1/media";
export const LEGACY = "/_matrix/media/v3";

export type Endpoints = typeof AUTHENTICATED | typeof LEGACY;

/** The server and the id of an mxc URI. */
export type MediaId = [serverName: string, mediaId: string];

export function partsOf(uri: unknown): MediaId {
  const [, server = "", id = ""] =
    /^mxc:\/\/([^/]+)\/([^/]+)$/.exec(String(uri)) ?? [];
  if (id === "") throw new Error(`no mxc URI: ${String(uri)}`);
  return [server, id];
}

export async function upload(
  user: User,
  body: Uint8Array,
  type: string,
  filename?: string,
): Promise<MediaId> {
  const answer = await user.must("POST", UPLOAD, {
    body,
    query: { filename },
    headers: { "content-type": type },
  });
  return partsOf(answer["content_uri"]);
}

export const downloadPath = (
  [server, id]: MediaId,
  name?: string,
  from: Endpoints = AUTHENTICATED,
): string =>
  `${from}/download${path`/${server}/${id}`}${name === undefined ? "" : path`/${name}`}`;

export async function download(
  user: User,
  uri: MediaId,
  name?: string,
  from: Endpoints = AUTHENTICATED,
): Promise<Answer> {
  const token = from === LEGACY ? null : undefined;
  const target = downloadPath(uri, name, from);
  const answer = await user.request("GET", target, { token });
  if (answer.status !== 200)
    throw new Error(`no download: ${answer.status} ${answer.raw}`);
  return answer;
}

/** What the Content-Disposition says, its name decoded. */
export function dispositionOf({ headers }: Answer): {
  kind: string;
  name: string;
} {
  const header = headers.get("content-disposition") ?? "";
  const [kind = ""] = header.split(";");
  const [, extended] = /filename\*=utf-8''([^;]+)/i.exec(header) ?? [];
  const [, quoted] = /filename="((?:[^"\\]|\\.)*)"/.exec(header) ?? [];
  const [, bare] = /filename=([^";]+)/.exec(header) ?? [];
  const name =
    extended === undefined
      ? (quoted ?? bare ?? "").replace(/\\(.)/g, "$1")
      : decodeURIComponent(extended);
  return { kind: kind.trim(), name };
}
