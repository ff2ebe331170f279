import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect } from "chai";
import { run } from "../../src/cli/run.ts";
import {
  certificateText,
  signCertificate,
} from "../../src/core/destruction-certificate.ts";
import { makeRoom, say } from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import { useFolders } from "../support/use-folder.ts";
import { testProgram } from "./program.ts";

const publicKeyOf = (key: KeyObject): string => {
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  return Buffer.from(x, "base64url").toString("base64").replace("=", "");
};

describe("myelin privacy verify", () => {
  const server = useServer();
  const makeFolder = useFolders();
  let key: string;
  let archive: string;

  before(async () => {
    const alice = await server.user("alice");
    const roomId = await makeRoom(alice);
    await say(alice, roomId, "one\u2028two");
    archive = (await alice.get("/_myelin/client/v1/privacy/export")).text;
    const { privateKey } = await server.edges.auditKey.current();
    key = publicKeyOf(privateKey);
  });

  async function verify(content: string, ...rest: string[]) {
    const folder = await makeFolder();
    await writeFile(join(folder, "file"), content);
    const told: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        told.push(chunk.toString());
        done();
      },
    });
    const code = await run(
      testProgram({
        folder,
        arguments: ["privacy", "verify", "file", ...rest],
        stdout: stream,
        stderr: stream,
      }),
    );
    return { code, told: told.join("") };
  }

  it("G10: knows an export that is whole and as it was made", async () => {
    const { code, told } = await verify(archive, "--key", key);
    expect(code, told).to.equal(0);
    expect(told).to.include("test, all of @alice:test at ");
  });

  it("G10: refuses one of which a byte, a line or the end is another, and another server's", async () => {
    const lines = archive.trimEnd().split("\n");
    const other = publicKeyOf(generateKeyPairSync("ed25519").privateKey);
    const without = (i: number) => lines.filter((_, at) => at !== i).join("\n");
    const oneLess = archive.replace(
      `"lines":${lines.length}`,
      `"lines":${lines.length - 1}`,
    );
    for (const [text, by] of [
      [archive.replace("one\u2028two", "one\u2028twa"), key],
      [archive.replace("@alice:test", "@bob:test"), key],
      [without(1), key],
      [without(lines.length - 1), key],
      [`${archive}${lines.at(-1)!}\n`, key],
      [oneLess.replace(`${lines[1]!}\n`, ""), key],
      [archive, other],
      ["", key],
    ] as const) {
      const { code, told } = await verify(text, "--key", by);
      expect(code, told).to.equal(1);
    }
    expect((await verify(archive)).code).to.equal(2);
  });

  it("G5: knows the certificate of an erasure, and no other", async () => {
    const { privateKey } = await server.edges.auditKey.current();
    const sign = (said: Record<string, string>) => {
      const certificate = certificateText({ server: "test", ...said });
      const signature = signCertificate(certificate, privateKey);
      return { certificate, signature };
    };
    const genuine = sign({ user_id: "@ann:test" });
    const good = await verify(JSON.stringify(genuine), "--key", key);
    expect(good.code, good.told).to.equal(0);
    expect(good.told).to.include("test, the erasure of @ann:test");
    const { certificate } = genuine;
    const changed = {
      ...genuine,
      certificate: certificate.replace("ann", "ben"),
    };
    for (const odd of [changed, sign({ policy_id: "p" }), {}]) {
      const { code, told } = await verify(JSON.stringify(odd), "--key", key);
      expect(code, told).to.equal(1);
    }
  });
});
