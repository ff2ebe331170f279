import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect } from "chai";
import { prepareDrain } from "../../src/cli/drain.ts";
import { createListener } from "../../src/http/listener.ts";

const CERTIFICATE = "test/start/certificates/first";

describe("prepareDrain", () => {
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  async function open(isTls: boolean) {
    const server = createListener(
      async (_request, response) => void response.end("done"),
      isTls
        ? {
            tls: {
              cert: readFileSync(`${CERTIFICATE}.pem`),
              key: readFileSync(`${CERTIFICATE}.key.pem`),
            },
          }
        : {},
    );
    const drain = prepareDrain(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return { server, drain, port };
  }

  for (const isTls of [false, true]) {
    it(`does not wait for who connected and says nothing${isTls ? ", with TLS" : ""}`, async function () {
      this.timeout(5000);
      const { server, drain, port } = await open(isTls);
      const connected = once(server, "connection");
      const silent = connect(port, "127.0.0.1");
      sockets.push(silent);
      silent.on("error", () => undefined);
      await connected;
      const closed = once(silent, "close");
      await drain();
      await closed;
    });
  }

  it("lets a request over TLS finish", async () => {
    const { drain, port } = await open(true);
    const socket = connectTls({ port, rejectUnauthorized: false });
    sockets.push(socket);
    await once(socket, "secureConnect");
    socket.setEncoding("utf8");
    let text = "";
    socket.on("data", (part: string) => (text += part));
    socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-Part: ");
    const drained = drain();
    socket.write("y\r\n\r\n");
    await once(socket, "end");
    await drained;
    expect(text).to.match(/done$/m);
  });
});
