import { copyFileSync } from "node:fs";
import { connect } from "node:tls";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";
import { useFolder } from "./myelin.ts";

const CERTIFICATES = "test/start/certificates";

describe("myelin serve with TLS", function () {
  this.timeout(60_000);
  const place = useFolder();
  const install = (name: string) => {
    const from = join(process.cwd(), CERTIFICATES, name);
    copyFileSync(`${from}.pem`, join(place.folder, "tls.pem"));
    copyFileSync(`${from}.key.pem`, join(place.folder, "tls.key.pem"));
  };
  const environment = {
    MYELIN_TLS_CERTIFICATE: "tls.pem",
    MYELIN_TLS_PRIVATE_KEY: "tls.key.pem",
    MYELIN_SERVER_PROCESSES: "1",
  };

  it("shows a renewed certificate without a restart", async () => {
    install("first");
    const run = place.start({ environment });
    const url = await run.ready();
    expect(url).to.match(/^https:/);
    expect(await shownBy(url)).to.equal("first");
    install("second");
    await run.logged("the TLS certificate was read again");
    while ((await shownBy(url)) !== "second");
  });
});

/** The name in the certificate that a new connection is shown. */
async function shownBy(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connect({
    host: hostname,
    port: Number(port),
    // The certificates of the test are signed by themselves.
    rejectUnauthorized: false,
  });
  await once(socket, "secureConnect");
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}
