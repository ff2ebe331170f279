import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect } from "chai";
import { run } from "../../src/cli/run.ts";
import {
  certificateText,
  signCertificate,
} from "../../src/core/destruction-certificate.ts";
import { useFolders } from "../support/use-folder.ts";
import { testProgram } from "./program.ts";

describe("myelin retention verify", () => {
  const makeFolder = useFolders();
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x = "" } = publicKey.export({ format: "jwk" });
  const key = Buffer.from(x, "base64url").toString("base64").replace("=", "");
  const said = {
    ...{ server: "test", policy_id: "p", gone_ts: 1_800_000_000_000 },
    destroyed: { messages: 3 },
  };
  const certificate = certificateText(said);
  const signed = {
    certificate,
    signature: signCertificate(certificate, privateKey),
  };

  async function verify(content: object, ...rest: string[]) {
    const folder = await makeFolder();
    await writeFile(join(folder, "file"), JSON.stringify(content));
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
        arguments: ["retention", "verify", "file", ...rest],
        stdout: stream,
        stderr: stream,
      }),
    );
    return { code, told: told.join("") };
  }

  it("G5: knows what the key has signed, one certificate and a list", async () => {
    for (const content of [signed, { certificates: [signed, signed] }]) {
      const { code, told } = await verify(content, "--key", key);
      expect(code, told).to.equal(0);
      expect(told).to.include('test, by the policy p: {"messages":3}.');
      expect(told).to.include("old backups: not yet");
    }
  });

  it("G5: takes both keys where one was replaced between two signatures, and refuses a forged first one", async () => {
    const next = generateKeyPairSync("ed25519");
    const { x: raw = "" } = next.publicKey.export({ format: "jwk" });
    const nextKey = Buffer.from(raw, "base64url").toString("base64");
    const folder = await makeFolder();
    const keys = join(folder, "keys");
    await writeFile(keys, `ed25519:a ${key}\ned25519:b ${nextKey}\n`);
    const last = certificateText({ ...said, unreadable_ts: 1_800_000_000_001 });
    const finished = {
      ...{ certificate: last, signed_first: signed },
      signature: signCertificate(last, next.privateKey),
    };
    const { code, told } = await verify(finished, "--key", keys);
    expect(code, told).to.equal(0);
    expect(told).to.include("old backups: 2027-01-15");
    expect((await verify(finished, "--key", nextKey)).code).to.equal(1);
    const forged = {
      ...finished,
      signed_first: { ...signed, certificate: last },
    };
    expect((await verify(forged, "--key", keys)).code).to.equal(1);
  });

  it("G5: refuses what was changed, what another key signed, and what is no certificate", async () => {
    const changed = certificate.replace('"messages":3', '"messages":2');
    const other = generateKeyPairSync("ed25519").privateKey;
    const text = JSON.stringify({ ...said, what: "something else" });
    for (const content of [
      { ...signed, certificate: changed },
      { ...signed, signature: signCertificate(certificate, other) },
      { certificate: text, signature: signCertificate(text, privateKey) },
      { certificates: [signed, { ...signed, certificate: changed }] },
      {},
      [],
    ]) {
      const { code } = await verify(content, "--key", key);
      expect(code, JSON.stringify(content)).to.equal(1);
    }
    expect((await verify(signed)).code).to.equal(2);
  });
});
