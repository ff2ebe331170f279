import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect } from "chai";
import { composeConnections } from "../../src/compose-connections.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createIsWithin } from "../../src/http/address.ts";
import type { ConnectionLimits } from "../../src/http/connection-limits.ts";
import { createListener } from "../../src/http/listener.ts";
import { quiet } from "../support/database.ts";

const CERTIFICATE = "test/start/certificates/first";

describe("connections", () => {
  const sockets: Socket[] = [];
  const servers: ReturnType<typeof createListener>[] = [];
  let refused: { count: number; address: string }[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
    refused = [];
  });

  /** A port on which requests are answered, within limits. */
  async function listen(
    limits: Partial<ConnectionLimits>,
    isTls = false,
  ): Promise<number> {
    const server = createListener(
      async (_request, response) => void response.end("done"),
      {
        connections: {
          most: 100,
          mostOfAddress: 100,
          isProxy: () => false,
          onRefused: (one) => void refused.push(one),
          ...limits,
        },
        ...(isTls && {
          tls: {
            cert: readFileSync(`${CERTIFICATE}.pem`),
            key: readFileSync(`${CERTIFICATE}.key.pem`),
          },
        }),
      },
    );
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }

  /** Asks on a connection of its own, which stays open; tells whether it was answered. */
  async function isServed(port: number, localAddress = "127.0.0.2") {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (part: string) => (text += part));
    await Promise.race([once(socket, "data"), once(socket, "close")]);
    return text.startsWith("HTTP/1.1 200 ");
  }

  it("row 52: one address has no more than its limit, and another has its own", async () => {
    const port = await listen({ mostOfAddress: 3 });
    for (let i = 0; i < 3; i += 1) expect(await isServed(port)).to.equal(true);
    for (let i = 0; i < 3; i += 1) expect(await isServed(port)).to.equal(false);
    expect(await isServed(port, "127.0.0.3")).to.equal(true);
    expect(refused).to.deep.equal([{ count: 1, address: "127.0.0.2" }]);
    sockets[0]!.destroy();
    // When the server has heard of that is not told to us; it never does, or it ends.
    let isFree = false;
    while (!isFree) isFree = await isServed(port);
  });

  it("row 52: there are no more than the limit in all, whoever they are of", async () => {
    const port = await listen({ most: 3, isProxy: () => true });
    for (const last of [2, 3, 4])
      expect(await isServed(port, `127.0.0.${last}`)).to.equal(true);
    for (const last of [2, 5])
      expect(await isServed(port, `127.0.0.${last}`)).to.equal(false);
  });

  it("row 52: a proxy, through which everybody comes, may have them all", async () => {
    const isProxy = createIsWithin(["127.0.0.2"]);
    const port = await listen({ mostOfAddress: 1, isProxy });
    for (let i = 0; i < 5; i += 1) expect(await isServed(port)).to.equal(true);
    expect(await isServed(port, "127.0.0.3")).to.equal(true);
    expect(await isServed(port, "127.0.0.3")).to.equal(false);
  });

  it("row 52: are refused before TLS, too, and the others go on", async () => {
    const port = await listen({ mostOfAddress: 2 }, true);
    const ask = (localAddress: string) =>
      new Promise((resolve) => {
        const asked = request(
          {
            port,
            host: "127.0.0.1",
            localAddress,
            rejectUnauthorized: false,
            // One of its own for each, which stays open.
            agent: new Agent({ keepAlive: true }),
          },
          (response) => {
            sockets.push(response.socket);
            response.resume();
            resolve(response.statusCode);
          },
        );
        asked.on("error", () => resolve("refused"));
        asked.end();
      });
    for (const wanted of [200, 200, "refused", "refused"])
      expect(await ask("127.0.0.2")).to.equal(wanted);
    expect(await ask("127.0.0.3")).to.equal(200);
  });

  it("row 15 row 52: leave files for others, and this machine and trusted proxies are not counted", () => {
    const compose = (settings: Readonly<Record<string, unknown>>) =>
      composeConnections(
        loadConfig({ overrides: new Map(Object.entries(settings)) }),
        quiet,
      );
    const files = Number(
      /^Max open files +(\d+)/m.exec(
        readFileSync("/proc/self/limits", "utf8"),
      )?.[1],
    );
    const { most, mostOfAddress, isProxy } = compose({});
    expect(most).to.be.within(1, 100_000).and.be.below(files);
    expect(mostOfAddress).to.equal(4_000);
    expect(isProxy("127.0.0.1")).to.equal(true);
    expect(isProxy("::1")).to.equal(true);
    expect(isProxy("10.0.0.1")).to.equal(false);
    expect(compose({ "limits.connections": 77 }).most).to.equal(77);
    const behind = compose({
      behind_proxy: true,
      trusted_proxies: ["10.0.0.0/8"],
    });
    expect(behind.isProxy("10.0.0.1")).to.equal(true);
    expect(behind.isProxy("127.0.0.1")).to.equal(true);
    expect(behind.isProxy("192.0.2.1")).to.equal(false);
  });
});
