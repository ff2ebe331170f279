import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { buffer } from "node:stream/consumers";

/** Where a server listens for administrators: a socket, or an address. */
export type AdminPlace = { socketPath: string } | { url: string };

export interface AdminRequest {
  method: string;
  /** With its query, encoded. */
  path: string;
  token?: string;
  /** JSON, or a file as it is. */
  body?: object | Buffer;
}

export interface AdminAnswer {
  status: number;
  text: string;
}

const TIMEOUT_MS = 120_000;

/** Asks the admin API of a server, as whoever the token is of. */
export async function askAdministration(
  place: AdminPlace,
  { method, path, token, body }: AdminRequest,
): Promise<AdminAnswer> {
  const isFile = Buffer.isBuffer(body);
  const bytes =
    body === undefined || isFile ? body : Buffer.from(JSON.stringify(body));
  const options = {
    ...{ method, path, timeout: TIMEOUT_MS },
    headers: {
      accept: "application/json",
      "user-agent": "myelin",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(bytes !== undefined && {
        "content-type": isFile
          ? "application/octet-stream"
          : "application/json",
        "content-length": String(bytes.length),
      }),
    },
  };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked =
      "socketPath" in place
        ? httpRequest({ ...options, socketPath: place.socketPath }, resolve)
        : place.url.startsWith("https:")
          ? httpsRequest(new URL(place.url), options, resolve)
          : httpRequest(new URL(place.url), options, resolve);
    asked.on("error", reject);
    asked.on("timeout", () => asked.destroy(new Error("no answer came")));
    asked.end(bytes);
  });
  const text = (await buffer(response)).toString();
  return { status: response.statusCode ?? 0, text };
}
