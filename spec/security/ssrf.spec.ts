import { createServer, type AddressInfo, type Server } from "node:net";
import { expect } from "chai";
import { createEgress } from "../../src/remote/create-egress.ts";
import type { EgressPurpose } from "../../src/remote/egress.ts";
import { failureOf, nameService, useEgress } from "../remote/use-egress.ts";
import { html, redirect, useWeb } from "../support/web.ts";

/** All of them are 127.0.0.1 to who believes them, and reach who listens there. */
const LOOPBACK = [
  ...["127.0.0.1", "127.1", "127.0.1", "127.0.0.1.", "2130706433"],
  ...["0x7f000001", "0x7f.0.0.1", "0x7f.1", "0X7F.0X0.0X0.0X1"],
  ...["0177.0.0.1", "017700000001", "0177.0.0x1", "127.000.000.001"],
  ...["%31%32%37.0.0.1", "127%2e0%2e0%2e1", "127。0。0。1", "127．0．0．1"],
  ...["127｡0｡0｡1", "①②⑦.⓪.⓪.①", "１２７.０.０.１", "1\t27.0.0.1"],
];

/** Addresses within machines and their networks, spelled in every way. */
const DENIED = [
  ...["0.0.0.0", "0", "0x0", "127.255.255.254", "[::1]", "[::]"],
  ...["[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::127.0.0.1]"],
  ...["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:7F00:0001]"],
  ...["[::ffff:a9fe:a9fe]", "[::ffff:0:127.0.0.1]", "[::ffff:8.8.8.8]"],
  ...["[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b::8.8.8.8]"],
  ...["[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]"],
  ...["[2002:808:808::1]", "[2001:0:7f00:1::]", "[2001::1]"],
  ...["[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[2606:4700::5efe:7f00:1]"],
  ...["[2606:4700::200:5efe:a00:1]", "10.0.0.1", "10.255.255.255"],
  ...["0xa000001", "012.0.0.1", "172.16.0.1", "172.31.255.255"],
  ...["192.168.0.1", "192.168.255.255", "3232235777", "192.168.257"],
  ...["169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376"],
  ...["169.254.43518", "100.64.0.1", "100.100.100.200", "100.127.255.255"],
  ...["168.63.129.16", "192.0.0.192", "192.0.2.1", "192.88.99.1"],
  ...["198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1"],
  ...["224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"],
  ...["[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[febf::1]", "[fec0::1]"],
  ...["[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]"],
  ...["[2001:10::1]", "[2001:20::1]", "[2001:2::1]", "[4000::1]"],
];

/** Spellings that are no address of anything. */
const NONSENSE = [
  ...["[fe80::1%25eth0]", "[fe80::1%eth0]", "[::1]x", "[127.0.0.1]", "[::1"],
  ...["1.2.3.4.5", "127.0.0.256", "0x7f.0.0.0x", "4294967296", "127..1"],
  ...["", "%00127.0.0.1", "127.0.0.1%00.example.org", "a b", "exa<mple"],
];

const SCHEMES = [
  ...["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/"],
  ...["ws://127.0.0.1/", "data:text/html,x", "javascript:0", "blob:x"],
  ...["//127.0.0.1/", "/etc/passwd", "http:", "http://", "unix:/run/x"],
];

/** What a name may resolve to, to get in. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  localhost: ["127.0.0.1"],
  "localhost.": ["127.0.0.1"],
  "sub.localhost": ["::1"],
  "loopback.example": ["127.0.0.1"],
  "metadata.google.internal": ["169.254.169.254"],
  "private.example": ["10.1.2.3"],
  "mapped.example": ["::ffff:127.0.0.1"],
  "mixed.example": ["93.184.215.14", "127.0.0.1"],
  "mixed6.example": ["2606:4700:4700::1111", "fd00::1"],
  "nat64.example": ["64:ff9b::7f00:1"],
  "zone.example": ["fe80::1%eth0"],
  "octal.example": ["0177.0.0.1"],
  "text.example": ["loopback.example"],
  "xn--bcher-kva.example": ["127.0.0.1"],
};

const PURPOSES: readonly EgressPurpose[] = ["preview", "push", "scan", "audit"];

describe("requests that a stranger makes us send", () => {
  let port: number;
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections += 1;
    socket.once("data", () =>
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    );
  });
  const names = nameService(NAMES);
  const resolve = (host: string) => names.resolve(host);
  const egress = useEgress({ allow: [], resolve });

  before("listen", async () => {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    ({ port } = server.address() as AddressInfo);
  });
  after(() => new Promise((done) => server.close(done)));
  afterEach("nobody was reached", () => {
    expect(connections).to.equal(0);
  });

  const refuses = async (url: string) => {
    for (const purpose of PURPOSES)
      expect(await failureOf(egress, { url, purpose }), purpose).to.equal(
        "refused",
      );
  };

  it("knows more than sixty spellings", () => {
    const spellings = [...LOOPBACK, ...DENIED];
    expect(new Set(spellings).size).to.equal(spellings.length);
    expect(spellings.length).to.be.above(90);
  });

  for (const host of [...LOOPBACK, ...DENIED, ...NONSENSE])
    it(`row 72 C8: do not reach ${JSON.stringify(host)}`, async () => {
      await refuses(`http://${host}:${port}/`);
      await refuses(`https://${host}:${port}/`);
    });

  for (const url of SCHEMES)
    it(`row 72: do not leave http by ${url}`, () => refuses(url));

  for (const [host, addresses] of Object.entries(NAMES))
    it(`row 72 0.99.3.1 #5134 CVE-2021-21392: do not reach ${host}, which is ${addresses.join(" and ")}`, async () => {
      await refuses(`https://${host}:${port}/`);
    });

  it("row 72: carry no password, and go to no port of another protocol", async () => {
    await refuses(`http://user:password@example.org:${port}/`);
    await refuses("http://user@example.org/");
    for (const bad of [22, 25, 110, 143, 465, 587, 993, 6000, 6667])
      await refuses(`http://example.org:${bad}/`);
  });

  it("row 72: reach each spelling of loopback once that is allowed: the table is no empty threat", async () => {
    const open = createEgress({ allow: ["127.0.0.0/8"], deny: [], resolve });
    for (const host of [...LOOPBACK, "localhost", "loopback.example"]) {
      const url = `http://${host}:${port}/`;
      const { status } = await open.request({ url, purpose: "preview" });
      expect(status, host).to.equal(200);
    }
    await open.close();
    expect(connections).to.be.above(0);
    connections = 0;
  });

  it("row 72: unpack what is allowed too: a tunnel to what is denied stays closed", async () => {
    const tunnels = ["64:ff9b::/96", "2002::/16", "::ffff:0:0/96", "2001::/32"];
    const open = createEgress({ allow: tunnels, deny: [], resolve });
    for (const host of [
      ...["[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::ffff:7f00:1]"],
      ...["[2001:0:7f00:1::]", "nat64.example", "mapped.example"],
    ]) {
      const url = `http://${host}:${port}/`;
      expect(await failureOf(open, { url }), host).to.equal("refused");
    }
    await open.close();
  });
});

describe("a name that means another machine each time", () => {
  const answers: (readonly string[])[] = [];
  const names = nameService({
    "turning.example": () => answers.shift() ?? ["127.0.0.2"],
  });
  const web = useWeb({
    "/": (response) => {
      response.writeHead(200, { connection: "close" }).end("first");
    },
  });
  const egress = useEgress({ resolve: (host) => names.resolve(host) });
  const url = () => `http://turning.example:${web.port}/`;

  it("row 72: is asked once for each connection, which goes to what was checked", async () => {
    answers.push(["127.0.0.1"], ["127.0.0.2"]);
    const first = await egress.request({ url: url(), purpose: "preview" });
    expect(first.body.toString()).to.equal("first");
    expect(names.asked).to.have.length(1);
    expect(await failureOf(egress, { url: url() })).to.equal("refused");
    expect(names.asked).to.have.length(2);
    expect(web.asked).to.have.length(1);
  });

  it("row 72: is refused with all of an answer of which one address is denied", async () => {
    answers.push(["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"]);
    expect(await failureOf(egress, { url: url() })).to.equal("refused");
    expect(await failureOf(egress, { url: url() })).to.equal("refused");
    expect(web.asked).to.have.length(1);
  });
});

describe("a redirect into the own network", () => {
  const web = useWeb({
    "/metadata": redirect("http://169.254.169.254/latest/meta-data/"),
    "/mapped": redirect(() => `http://[::ffff:7f00:1]:${web.port}/secret`),
    "/decimal": redirect(() => `http://2130706433:${web.port}/secret`),
    "/name": redirect(() => `http://inside.example:${web.port}/secret`),
    "/file": redirect("file:///etc/passwd"),
    "/relative": redirect(() => `//127.0.0.1:${web.port}/secret`),
    "/hops": redirect("/more-hops", 301),
    "/more-hops": redirect(() => `http://127.1:${web.port}/secret`, 308),
    "/secret": html("secret"),
  });
  const names = nameService({ "inside.example": ["127.0.0.1"] });
  const egress = useEgress({
    allow: ["public.example"],
    resolve: (host) =>
      host === "public.example"
        ? Promise.resolve(["127.0.0.1"])
        : names.resolve(host),
  });

  for (const path of [
    ...["/metadata", "/mapped", "/decimal", "/name", "/file", "/relative"],
    "/hops",
  ]) {
    it(`row 72 CVE-2024-52602: is not followed at ${path}`, async () => {
      const url = `http://public.example:${web.port}${path}`;
      const failure = await failureOf(egress, { url, followRedirects: 5 });
      expect(failure).to.equal("refused");
      expect(web.asked).to.not.include("GET /secret");
    });
  }
});
