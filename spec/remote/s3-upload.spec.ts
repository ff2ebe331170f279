import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { S3Client } from "@aws-sdk/client-s3";
import { expect } from "chai";
import {
  PART_BYTES,
  PARTS_HELD,
  uploadObject,
} from "../../src/remote/s3-upload.ts";
import { collect, failureOf, inChunks } from "../support/collect.ts";

interface Request {
  method: string;
  query: string;
  digest: string;
  body: Buffer;
}

/** Whoever is not kept from it goes on meanwhile. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await setImmediate();
}

describe("uploadObject", () => {
  const requests: Request[] = [];
  /** What becomes of a part; it is answered unless told otherwise. */
  let answerPart = (answer: () => void, _refuse: () => void) => answer();
  let server: Server;
  let client: S3Client;

  before("start what takes uploads", async () => {
    server = createServer((incoming, response) => {
      void collect(incoming).then((body) => {
        const { method = "", url = "" } = incoming;
        const query = new URL(url, "http://x").search.slice(1);
        const digest = String(incoming.headers["x-amz-content-sha256"]);
        requests.push({ method, query, digest, body });
        if (query.includes("partNumber=")) answerToPart(query, response);
        else response.end(answerTo(method, query));
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    client = new S3Client({
      region: "us-east-1",
      endpoint: `http://127.0.0.1:${port}`,
      forcePathStyle: true,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      requestChecksumCalculation: "WHEN_REQUIRED",
      maxAttempts: 1,
    });
  });
  after("stop it", async () => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    requests.length = 0;
    answerPart = (answer) => answer();
  });

  function answerToPart(query: string, response: ServerResponse): void {
    const [, number] = /partNumber=(\d+)/.exec(query)!;
    answerPart(
      () => response.setHeader("ETag", `"part ${number}"`).end(),
      () => response.writeHead(403).end(),
    );
  }

  const answerTo = (method: string, query: string): string =>
    method === "POST" && query.includes("uploads")
      ? "<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>"
      : "<CompleteMultipartUploadResult/>";

  const send = (bytes: Buffer, isSigned: boolean) =>
    uploadObject(
      client,
      { Bucket: "bucket", Key: "key" },
      inChunks(bytes, 100_000),
      isSigned,
    );

  const parts = () =>
    requests.filter(({ query }) => query.includes("partNumber="));

  for (const size of [0, 10, PART_BYTES])
    it(`sends ${size} bytes by one request`, async () => {
      const bytes = randomBytes(size);
      await send(bytes, false);
      const [{ body, method }, ...others] = requests as [Request];
      expect(method).to.equal("PUT");
      expect(body.equals(bytes)).to.equal(true);
      expect(others).to.have.length(0);
    });

  it("puts longer ones together of parts, in their order whichever arrives first", async () => {
    const answers: (() => void)[] = [];
    answerPart = (answer) => {
      answers.push(answer);
      if (answers.length < PARTS_HELD) return;
      for (const one of answers.reverse()) one();
      answerPart = (other) => other();
    };
    const bytes = randomBytes(PARTS_HELD * PART_BYTES + 1);
    await send(bytes, false);
    const bodies = parts()
      .toSorted((a, b) => (a.query < b.query ? -1 : 1))
      .map(({ body }) => body);
    expect(bodies.map(({ length }) => length)).to.deep.equal([
      ...Array.from({ length: PARTS_HELD }, () => PART_BYTES),
      1,
    ]);
    expect(Buffer.concat(bodies).equals(bytes)).to.equal(true);
    const told = requests.at(-1)!.body.toString();
    const numbers = [...told.matchAll(/<PartNumber>(\d+)/g)].map(([, n]) => n);
    expect(numbers).to.deep.equal(["1", "2", "3", "4"]);
  });

  it("reads no more than it holds while no part arrives", async () => {
    let read = 0;
    async function* content() {
      for (let i = 0; i < 2 * PARTS_HELD; i += 1) {
        read += 1;
        yield Buffer.alloc(PART_BYTES);
      }
    }
    let readMeanwhile = 0;
    const held: (() => void)[] = [];
    answerPart = (answer) => {
      held.push(answer);
      if (held.length < PARTS_HELD) return;
      answerPart = (other) => other();
      void turns(100).then(() => {
        readMeanwhile = read;
        for (const one of held) one();
      });
    };
    const place = { Bucket: "bucket", Key: "key" };
    await uploadObject(client, place, content(), false);
    expect(parts()).to.have.length(2 * PARTS_HELD);
    expect(readMeanwhile).to.equal(PARTS_HELD + 1);
  });

  for (const isSigned of [true, false])
    it(`${isSigned ? "tells" : "does not tell"} a hash of what it sends`, async () => {
      await send(randomBytes(10), isSigned);
      await send(randomBytes(PART_BYTES + 10), isSigned);
      const carrying = requests.filter(({ method }) => method === "PUT");
      expect(carrying).to.have.length(3);
      for (const { body, digest } of carrying)
        expect(digest).to.equal(
          isSigned
            ? createHash("sha256").update(body).digest("hex")
            : "UNSIGNED-PAYLOAD",
        );
    });

  it("gives the upload up where a part is refused", async () => {
    answerPart = (_answer, refuse) => refuse();
    const failure = await failureOf(send(randomBytes(PART_BYTES + 1), false));
    expect(failure).to.be.instanceOf(Error);
    expect(requests.at(-1)).to.include({ method: "DELETE" });
    expect(requests.at(-1)!.query).to.include("uploadId=one");
  });

  it("gives the upload up where what comes breaks off, and tells why", async () => {
    async function* broken() {
      yield Buffer.alloc(PART_BYTES + 1);
      throw new Error("the client is gone");
    }
    const place = { Bucket: "bucket", Key: "key" };
    const failure = await failureOf(
      uploadObject(client, place, broken(), false),
    );
    expect(failure).to.have.property("message", "the client is gone");
    expect(requests.at(-1)).to.include({ method: "DELETE" });
  });
});
