import { once } from "node:events";
import { stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { expect } from "chai";
import {
  adminTlsOf,
  clearAdminSocket,
  listenForAdministrators,
} from "../../src/cli/admin-listener.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createListener } from "../../src/http/listener.ts";
import { quiet } from "../support/database.ts";
import { useFolders } from "../support/use-folder.ts";

describe("the administrators' listener", () => {
  const makeFolder = useFolders();
  const configOf = (settings: Record<string, unknown> = {}) =>
    loadConfig({ overrides: new Map(Object.entries(settings)) });
  const newServer = () =>
    createListener(async (_request, response) => void response.end("done"));
  const options = (dataFolder: string) => ({
    ...{ dataFolder, isTls: false, log: quiet },
  });

  it("is a socket that its owner alone can open, also where a server was killed", async () => {
    const folder = await makeFolder();
    const path = join(folder, "admin.sock");
    await writeFile(path, "left");
    const server = newServer();
    await clearAdminSocket(folder);
    const where = await listenForAdministrators(
      server,
      configOf(),
      options(folder),
    );
    expect(where).to.equal(path);
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    const asked = request({ socketPath: path, path: "/" }).end();
    const [response] = (await once(asked, "response")) as [
      { statusCode: number; resume(): void },
    ];
    response.resume();
    expect(response.statusCode).to.equal(200);
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  it("is a port where one is set", async () => {
    const server = newServer();
    const config = configOf({ "listeners.admin.port": 0 });
    const url = await listenForAdministrators(
      server,
      config,
      options(await makeFolder()),
    );
    expect(url).to.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    server.close();
  });

  it("is left out where the path is too long for a socket, and says so", async () => {
    const warned: string[] = [];
    const log = {
      ...quiet,
      warn: (_: object, message: string) => void warned.push(message),
    };
    const folder = `/tmp/${"x".repeat(100)}`;
    const server = newServer();
    const where = await listenForAdministrators(server, configOf(), {
      ...options(folder),
      log,
    });
    expect(where).to.equal(undefined);
    expect(server.listening).to.equal(false);
    expect(warned).to.have.length(1);
  });

  it("speaks TLS to others, and not to this machine", () => {
    const tls = { cert: "c", key: "k" };
    const at = (host: string) =>
      configOf({
        ...{ "listeners.admin.port": 1, "listeners.admin.host": host },
        ...{ "tls.certificate": "c", "tls.private_key": "k" },
      });
    expect(adminTlsOf(at("0.0.0.0"), tls)).to.equal(tls);
    expect(adminTlsOf(at("127.0.0.1"), tls)).to.equal(undefined);
    expect(adminTlsOf(configOf(), tls)).to.equal(undefined);
    expect(() => configOf({ "listeners.admin.host": "0.0.0.0" })).to.throw(
      /listeners\.admin\.host/,
    );
  });
});
