import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { expect } from "chai";
import { prepareDatabase } from "../../src/cli/prepare-database.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Log } from "../../src/edges.ts";
import { quiet, useDatabase } from "../support/database.ts";

describe("prepareDatabase", () => {
  const database = useDatabase();
  const doors: Server[] = [];
  afterEach(() => {
    for (const door of doors.splice(0)) door.close();
  });

  const configOf = (url?: string) =>
    loadConfig({
      overrides: new Map(
        Object.entries({
          server_name: "test",
          ...(url !== undefined && { "database.url": url }),
        }),
      ),
    });

  /** The answer of a PostgreSQL that lets nobody in. */
  const fatal = (code: string): Buffer => {
    const fields = ["SFATAL", "VFATAL", `C${code}`, "Mnot now"].join("\0");
    const body = Buffer.from(`${fields}\0\0`);
    const head = Buffer.from("E\0\0\0\0");
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };

  /** A way to the database that lets nobody in as long as there are refusals. */
  const openDoor = (refusals: string[]) => {
    const { hostname, port } = new URL(database.url);
    const door = createServer((client) => {
      client.on("error", () => undefined);
      const code = refusals.shift();
      if (code !== undefined) {
        client.once("data", () => client.end(fatal(code)));
        return;
      }
      const upstream = connect(Number(port), hostname);
      upstream.on("error", () => undefined);
      client.pipe(upstream).pipe(client);
    });
    doors.push(door);
    return door;
  };

  const listen = async (
    door: ReturnType<typeof openDoor>,
    port = 0,
  ): Promise<string> => {
    door.listen(port, "127.0.0.1");
    await once(door, "listening");
    const url = new URL(database.url);
    url.port = String((door.address() as AddressInfo).port);
    return url.href;
  };

  const fail = (isPrivate: boolean, url: string, log: Log = quiet) =>
    prepareDatabase(configOf(isPrivate ? undefined : url), url, log).then(
      async (sql) => {
        await sql.end();
      },
      (error: unknown) => error,
    );

  it("waits for a PostgreSQL that starts up or shuts down", async () => {
    const refusals = ["57P03", "57P01", "57P02"];
    const door = openDoor(refusals);
    const url = await listen(door);
    expect(await fail(false, url)).to.equal(undefined);
    expect(refusals).to.have.length(0);
  });

  it("does not wait for one that has another reason", async () => {
    const door = openDoor(["28P01", "28P01"]);
    const url = await listen(door);
    expect(await fail(true, url)).to.include({ code: "28P01" });
  });

  it("waits for a private one that is gone, and for no other", async () => {
    const door = openDoor([]);
    const url = await listen(door);
    door.close();
    await once(door, "close");
    expect(await fail(false, url)).to.include({ code: "ECONNREFUSED" });
    let isBack = false;
    const comesBack: Log = {
      ...quiet,
      warn: () => {
        if (isBack) return;
        isBack = true;
        door.listen(Number(new URL(url).port), "127.0.0.1");
      },
    };
    expect(await fail(true, url, comesBack)).to.equal(undefined);
  });
});
