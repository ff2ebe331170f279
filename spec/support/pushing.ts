import { startPushing } from "../../src/domain/push/start-pushing.ts";
import { useGateways, type TestGateway } from "./push-gateway.ts";
import { must } from "./rooms.ts";
import {
  useServer,
  type Json,
  type Outside,
  type TestClient,
  type TestProcess,
  type TestServer,
  type TestSettings,
} from "./server.ts";

export interface PushingServer {
  server: TestServer;
  openGateway(): TestGateway;
  /** Has a process push; the first one does so from the beginning. */
  start(process: TestProcess): { stop(): Promise<void> };
}

interface PushingOptions {
  isStarted?: boolean;
  outside?: Outside;
}

/** A server that pushes to gateways on loopback. */
export function usePushing(
  settings: TestSettings = {},
  { isStarted = true, outside = {} }: PushingOptions = {},
): PushingServer {
  const running: { stop(): Promise<void> }[] = [];
  const start: PushingServer["start"] = (process) => {
    const begun = startPushing(() => process.edges);
    running.push(begun);
    return begun;
  };
  // Before the server is: what pushes needs its database.
  after("stop pushing", () => Promise.all(running.map(({ stop }) => stop())));
  const server = useServer(
    { "egress.allow": ["127.0.0.1"], ...settings },
    undefined,
    outside,
  );
  const gateways = useGateways();
  before("start pushing", () => {
    if (isStarted) start(server);
  });
  return { server, openGateway: () => gateways.open(), start };
}

/** A body of `/pushers/set`. */
export const pusherOf = (url: string, more: Json = {}): Json => ({
  kind: "http",
  app_id: "app",
  pushkey: "key",
  app_display_name: "App",
  device_display_name: "Phone",
  lang: "en",
  ...more,
  data: { url, ...(more["data"] as Json | undefined) },
});

export const setPusher = async (
  user: TestClient,
  url: string,
  more: Json = {},
): Promise<void> => {
  must(await user.post("/pushers/set", pusherOf(url, more)));
};

export const pushersOf = async (user: TestClient): Promise<Json[]> =>
  must<{ pushers: Json[] }>(await user.get("/pushers")).pushers;
