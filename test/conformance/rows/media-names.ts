import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import {
  AUTHENTICATED,
  dispositionOf,
  download,
  downloadPath,
  type Endpoints,
  LEGACY,
  PNG,
  upload,
} from "../harness/media.ts";
import { row } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";

const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
const CHICKEN = "\u{1f414}";
const COFFEE = "\u2615";

const names = (name: string, run: (server: Server) => Promise<void>) => {
  row("general", "TestMediaFilenames", `Parallel/${name}`, run);
};

/** Registers a row for either kind of endpoint: the suite's names of the newer ones end with theirs. */
function downloads(
  name: string,
  suffix: string,
  run: (server: Server, from: Endpoints) => Promise<void>,
): void {
  names(name, (server) => run(server, LEGACY));
  names(`${name} ${suffix}`, (server) => run(server, AUTHENTICATED));
}

/** A file uploaded with one name, and downloaded with another where that is asked for. */
const comesBack =
  (given: string, asked?: string) =>
  async (server: Server, from: Endpoints): Promise<void> => {
    const alice = await server.user("alice");
    const uri = await upload(alice, PNG, "image/png", given);
    const answer = await download(alice, uri, asked, from);
    expect(dispositionOf(answer).name).to.equal(asked ?? given);
    expect(answer.bytes.equals(PNG)).to.equal(true);
  };

const servedAs =
  (file: Uint8Array, type: string, kind: "inline" | "attachment") =>
  async (server: Server, from: Endpoints): Promise<void> => {
    const alice = await server.user("alice");
    const uri = await upload(alice, file, type);
    const answer = await download(alice, uri, undefined, from);
    expect(dispositionOf(answer).kind).to.equal(kind);
  };

const uploadsAs = (filename?: string) => async (server: Server) => {
  const alice = await server.user("alice");
  const [host, id] = await upload(alice, PNG, "image/png", filename);
  expect(host).to.equal(alice.serverName);
  expect(id).to.match(/^[\w-]+$/);
};

const OVER_V1 = "over / matrix/client/v1/media/download";
const OVER = "over  matrix/client/v1/media/download";
const VIA = "via  matrix/client/v1/media/download";

names("ASCII/Can upload with ASCII file name", uploadsAs("ascii"));
for (const name of ["ascii", "name with spaces", "name;with;semicolons"])
  downloads(`ASCII/Can download file '${name}'`, OVER_V1, comesBack(name));
downloads(
  "ASCII/Can download specifying a different ASCII file name",
  OVER,
  comesBack("ascii", "file.png"),
);

names("Unicode/Can upload with Unicode file name", uploadsAs(CHICKEN));
downloads(
  "Unicode/Can download specifying a different Unicode file name",
  OVER,
  comesBack(CHICKEN, COFFEE),
);
downloads(
  "Unicode/Can download with Unicode file name locally",
  OVER,
  comesBack(CHICKEN),
);
downloads(
  "Unicode/Will serve safe media types as inline",
  VIA,
  servedAs(PNG, "image/png", "inline"),
);
downloads(
  "Unicode/Will serve safe media types with parameters as inline",
  VIA,
  servedAs(PNG, "Text/Plain; charset=utf-8", "inline"),
);
downloads(
  "Unicode/Will serve unsafe media types as attachments",
  VIA,
  servedAs(SVG, "image/svg", "attachment"),
);

const WITHOUT = "TestMediaWithoutFileName";

const hasNone = (from: Endpoints) => async (server: Server) => {
  const alice = await server.user("alice");
  const uri = await upload(alice, PNG, "image/png");
  const answer = await download(alice, uri, undefined, from);
  expect(dispositionOf(answer).name).to.equal("");
};

row("general", WITHOUT, "", hasNone(LEGACY));
const v1 = (name: string, run: (server: Server) => Promise<void>) =>
  row("general", `${WITHOUT}CSMediaV1`, `parallel/${name}`, run);
v1("Can upload without a file name", uploadsAs());
v1("Can download without a file name locally", hasNone(AUTHENTICATED));

const own = (name: string, run: (server: Server) => Promise<void>) =>
  row("myelin", "media", name, run);

for (const type of ["text/html", "image/svg+xml", "application/xhtml+xml"])
  own(`a file of ${type} is served as attachment`, (server) =>
    servedAs(SVG, type, "attachment")(server, AUTHENTICATED),
  );

own("a file is served to nobody without a token", async (server) => {
  const alice = await server.user("alice");
  const uri = await upload(alice, PNG, "image/png");
  const answer = await server.get(downloadPath(uri));
  expectError(answer, 401, "M_MISSING_TOKEN");
});
