import type { Socket } from "node:net";
import { expect } from "chai";
import type { ScanRequest, ScanVerdict } from "../../src/remote/egress.ts";
import { EgressError } from "../../src/remote/egress-error.ts";
import { inChunks } from "../support/collect.ts";
import {
  chunked,
  CLEAN,
  replaced,
  useIcapServer,
} from "../support/icap-server.ts";
import { nameService, useEgress } from "./use-egress.ts";

const PREVIEWED = ["Methods: RESPMOD, REQMOD", "Allow: 204", "Preview: 4"];

describe("scans by ICAP", () => {
  const icap = useIcapServer();
  const egress = useEgress();
  const stranger = useEgress({
    allow: [],
    ...nameService({ "scanner.test": ["127.0.0.1"] }),
  });

  const requestOf = (
    body: string | AsyncIterable<Uint8Array>,
    more: Partial<ScanRequest> = {},
  ): ScanRequest => ({
    url: icap.url,
    resource: "https://example.org/_matrix/media/x",
    contentType: "text/plain",
    size: typeof body === "string" ? Buffer.byteLength(body) : 0,
    body: typeof body === "string" ? inChunks(Buffer.from(body), 3) : body,
    ...more,
  });

  const scan = (
    body: string | AsyncIterable<Uint8Array>,
    more: Partial<ScanRequest> = {},
  ): Promise<ScanVerdict> => egress.scan(requestOf(body, more));

  async function failureOf(scanned: Promise<ScanVerdict>): Promise<string> {
    try {
      return `said ${await scanned}`;
    } catch (error) {
      if (error instanceof EgressError) return error.failure;
      throw error;
    }
  }

  it("send a file as the answer of a web server, and let pass what is left as it is", async () => {
    expect(await scan("some words")).to.equal("clean");
    const [options, respmod] = icap.asked;
    expect(options).to.include({ method: "OPTIONS", uri: icap.url });
    expect(respmod).to.include({ method: "RESPMOD", body: "some words" });
    expect(respmod!.headers).to.include({
      host: new URL(icap.url).host,
      allow: "204",
      encapsulated: "req-hdr=0, res-hdr=71, res-body=136",
    });
    expect(respmod!.headers).not.to.have.property("preview");
    expect(respmod!.encapsulated).to.equal(
      "GET https://example.org/_matrix/media/x HTTP/1.1\r\nHost: example.org\r\n\r\n" +
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n",
    );
  });

  it("show the preview that the service asks for, and the rest where it wants that", async () => {
    icap.behave({ options: PREVIEWED });
    expect(await scan("some words")).to.equal("clean");
    expect(icap.asked[1]).to.include({ preview: "some", body: "some words" });
    expect(icap.asked[1]!.headers).to.include({ preview: "4" });
    icap.behave({ options: PREVIEWED, onPreview: () => CLEAN });
    expect(await scan("some words")).to.equal("clean");
    expect(icap.asked[3]).to.include({ body: "some" });
    icap.behave({ options: PREVIEWED, onPreview: () => replaced() });
    expect(await scan("some words")).to.equal("refused");
    icap.behave({ options: ["Preview: 0"] });
    expect(await scan("some words")).to.equal("clean");
    expect(icap.asked.at(-1)).to.include({ preview: "", body: "some words" });
  });

  it("say where a preview is all of the file, an empty one too", async () => {
    icap.behave({ options: PREVIEWED });
    for (const body of ["four", "abc", ""]) {
      expect(await scan(body)).to.equal("clean");
      expect(icap.asked.at(-1)).to.include({ preview: body, body });
      expect(icap.asked.at(-1)!.headers["preview"]).to.equal(
        String(body.length),
      );
    }
  });

  it("send large files in pieces, while the answer is waited for", async () => {
    const words = "0123456789abcdef".repeat(200_000);
    for (const options of [PREVIEWED, ["Preview: 999999999"], []]) {
      icap.behave({ options });
      const body = inChunks(Buffer.from(words), 64 * 1024);
      expect(await scan(body, { size: words.length })).to.equal("clean");
      expect(icap.asked.at(-1)!.body === words).to.equal(true);
      expect(icap.asked.at(-1)!.preview.length).to.be.at.most(64 * 1024);
    }
  });

  it("refuse what the service would replace or has found something in", async () => {
    for (const answer of [
      replaced(),
      replaced({ status: 403 }),
      replaced({ status: 403, body: "some words" }),
      replaced({ body: "some words, longer" }),
      replaced({ body: "" }),
      ...["X-Infection-Found", "X-Virus-ID", "X-Violations-Found"].map((name) =>
        replaced({ headers: `${name}: 1\r\n`, body: "some words" }),
      ),
      "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, null-body=19\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ]) {
      icap.behave({ onWhole: () => answer });
      expect(await scan("some words"), answer).to.equal("refused");
    }
  });

  it("let pass what a service without 204 gives back as it was", async () => {
    const echo = ({ body }: { body: string }) => replaced({ body });
    for (const options of [[], PREVIEWED]) {
      icap.behave({ options, onWhole: echo });
      expect(await scan("some words")).to.equal("clean");
    }
    icap.behave({
      onWhole: ({ body }) =>
        `ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\n${chunked(body)}`,
    });
    expect(await scan("some words")).to.equal("clean");
  });

  it("take no other answer for one", async () => {
    const odd = [
      "",
      "HTTP/1.1 204 No Content\r\n\r\n",
      "ICAP/1.0 204 No Content\n\n",
      "ICAP/1.0 204 No Content\r\nno header\r\n\r\n",
      "ICAP/1.0 2040\r\n\r\n",
      "ICAP/1.0 100 Continue\r\n\r\n",
      "ICAP/1.0 404 Not Found\r\n\r\n",
      "ICAP/1.0 500 Server error\r\n\r\n",
      "ICAP/1.0 200 OK\r\n\r\n",
      "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=5, res-body=9\r\n\r\n",
      "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=4\r\n\r\nnone",
      "ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\n-1\r\n",
      "ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\n2\r\nsome\r\n0\r\n\r\n",
      "ICAP/1.0 200 OK\r\nEncapsulated: res-body=0\r\n\r\n4\r\nsome",
    ];
    for (const answer of odd) {
      icap.behave({ onWhole: () => answer });
      expect(await failureOf(scan("some words")), answer).to.equal(
        "unreadable",
      );
    }
    for (const options of [["Methods: REQMOD"], ["Preview: many"]]) {
      icap.behave({ options });
      expect(await failureOf(scan("some words"))).to.equal("unreadable");
    }
  });

  it("read no more than a bounded answer", async () => {
    const long = "x".repeat(20_000);
    const answers = [
      `ICAP/1.0 204 ${long}\r\n\r\n`,
      `ICAP/1.0 204 OK\r\nX-A: ${long}\r\n\r\n`,
      `ICAP/1.0 204 OK\r\n${"X-A: b\r\n".repeat(4_000)}\r\n`,
      "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=99999\r\n\r\n",
    ];
    for (const answer of answers) {
      icap.behave({ onWhole: () => answer });
      expect(await failureOf(scan("some words"))).to.equal("large");
    }
    let poured = 0;
    const pour = (socket: Socket) => {
      socket.on("drain", () => pour(socket));
      while (!socket.destroyed && socket.write(long)) poured += long.length;
    };
    icap.behave({ onConnection: pour });
    expect(await failureOf(scan("some words"))).to.equal("large");
    expect(poured).to.be.below(64 * 1024 * 1024);
  });

  it("send nothing but what they were told, and nothing of a header's own", async () => {
    for (const more of [
      { contentType: "text/plain\r\nX-Evil: 1" },
      { contentType: "text/plain\n" },
      { contentType: "tëxt/plain" },
    ])
      expect(await failureOf(scan("some words", more))).to.equal("unreachable");
    const resource = "https://example.org/a b\r\nX-Evil: 1";
    expect(await scan("some words", { resource })).to.equal("clean");
    expect(icap.asked.at(-1)!.encapsulated).to.match(
      /^GET https:\/\/example\.org\/a%20bX-Evil:%201 HTTP\/1\.1\r\nHost/,
    );
    for (const size of [9, 11]) {
      icap.behave({});
      expect(await failureOf(scan("some words", { size }))).to.equal(
        "unreachable",
      );
    }
  });

  it("fail where the file cannot be read to its end, whatever the service says", async () => {
    async function* broken() {
      yield Buffer.from("some");
      await Promise.resolve();
      throw new Error("damaged");
    }
    for (const options of [[], ["Preview: 9"], PREVIEWED]) {
      icap.behave({ options });
      expect(await failureOf(scan(broken(), { size: 10 }))).to.equal(
        "unreachable",
      );
    }
  });

  it("call nobody whom the settings do not trust, by whatever name", async () => {
    const { port } = new URL(icap.url);
    for (const url of [
      icap.url,
      `icap://scanner.test:${port}/avscan`,
      `icap://0x7f.1:${port}/avscan`,
      `icap://[::ffff:127.0.0.1]:${port}/avscan`,
      `icap://user:password@127.0.0.1:${port}/avscan`,
    ])
      expect(
        await failureOf(stranger.scan(requestOf("x", { url }))),
        url,
      ).to.equal("refused");
    for (const url of [
      "http://127.0.0.1/",
      "icap:127.0.0.1",
      "icap://",
      icap.url.replace("127.0.0.1", "user:password@127.0.0.1"),
    ])
      expect(await failureOf(scan("x", { url })), url).to.equal("refused");
    expect(icap.asked).to.deep.equal([]);
    const spelled = icap.url.replace("127.0.0.1", "0x7f.1");
    expect(await scan("x", { url: spelled })).to.equal("clean");
    expect(icap.asked[0]!.uri).to.equal(icap.url);
  });

  it("end with the client", async () => {
    const { createEgress } = await import("../../src/remote/create-egress.ts");
    const closing = createEgress({ allow: ["127.0.0.1"], deny: [] });
    icap.behave({
      onConnection: () => void closing.close(),
    });
    expect(await failureOf(closing.scan(requestOf("x")))).to.equal("aborted");
  });
});
