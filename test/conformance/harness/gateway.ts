import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { object, type JsonObject } from "./json.ts";
import type { User } from "./user.ts";

const PATH = "/_matrix/push/v1/notify";
const WAIT_MS = 20_000;

/** A push gateway on 127.0.0.1, which the server under test must be allowed to call. */
export interface Gateway {
  /** Sets a pusher of this gateway. */
  addPusher: (user: User, data?: JsonObject) => Promise<void>;
  /** The next notification as it came, of those that `isWanted` takes; the others are passed over. */
  next: (isWanted?: (push: JsonObject) => boolean) => Promise<JsonObject>;
  /** Keys that it refuses from now on. */
  rejected: Set<string>;
}

/** The push key of this user's pushers. */
export const pushkeyOf = (user: User): string => `key of ${user.localpart}`;

export async function withGateway(
  use: (gateway: Gateway) => Promise<void>,
): Promise<void> {
  const pushes: JsonObject[] = [];
  const rejected = new Set<string>();
  let wake = (): void => undefined;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      pushes.push(object(JSON.parse(text), "notification"));
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ rejected: [...rejected] }));
      wake();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${PATH}`;

  const next: Gateway["next"] = async (isWanted = () => true) => {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      for (let push = pushes.shift(); push; push = pushes.shift())
        if (isWanted(push)) return push;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error("nothing was pushed");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const addPusher: Gateway["addPusher"] = async (user, data = {}) => {
    await user.mustPost("/pushers/set", {
      kind: "http",
      app_id: "org.example.app",
      pushkey: pushkeyOf(user),
      app_display_name: "App",
      device_display_name: "Device",
      lang: "en",
      data: { url, ...data },
    });
  };
  try {
    await use({ addPusher, next, rejected });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
