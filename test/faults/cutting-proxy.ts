import { once } from "node:events";
import {
  connect,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from "node:net";

/** Where a call is cut: before it leaves, in its middle, when it has left, when its answer is there. */
export const MOMENTS = ["before", "half", "sent", "answered"] as const;
export type Moment = (typeof MOMENTS)[number];

interface Link {
  client: Socket;
  upstream: Socket;
  /** It has carried calls of the committer. */
  isCommitter: boolean;
  cutsAtAnswer: boolean;
}

const COMMIT = Buffer.from("commit_batch");

/** A link to a database that breaks in the middle of a call. */
export class CuttingProxy {
  readonly url: string;
  readonly #server: Server;
  readonly #links: Set<Link>;
  #armed: { moment: Moment; done: () => void } | undefined;

  private constructor(url: string, server: Server, links: Set<Link>) {
    this.url = url;
    this.#server = server;
    this.#links = links;
  }

  static async open(target: string): Promise<CuttingProxy> {
    const url = new URL(target);
    const { hostname, port } = url;
    const links = new Set<Link>();
    const server = createServer((client) => {
      const upstream = connect(Number(port), hostname);
      const link = {
        client,
        upstream,
        isCommitter: false,
        cutsAtAnswer: false,
      };
      links.add(link);
      for (const socket of [client, upstream]) {
        socket.setNoDelay(true);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          links.delete(link);
          sever(link);
        });
      }
      client.on("data", (bytes: Buffer) => proxy.#ask(link, bytes));
      upstream.on("data", (bytes: Buffer) => proxy.#answer(link, bytes));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url.port = String((server.address() as AddressInfo).port);
    const proxy = new CuttingProxy(url.href, server, links);
    return proxy;
  }

  /** Cuts the next call of a committer at that moment; resolves when it is done. */
  cutNextCommit(moment: Moment): Promise<void> {
    return new Promise((done) => {
      this.#armed = { moment, done };
    });
  }

  /** Cuts every link at once. */
  cutAll(): void {
    for (const link of this.#links) sever(link);
  }

  async close(): Promise<void> {
    this.cutAll();
    this.#server.close();
    await once(this.#server, "close");
  }

  #ask(link: Link, bytes: Buffer): void {
    const { upstream } = link;
    link.isCommitter ||= bytes.includes(COMMIT);
    if (!this.#armed || !link.isCommitter) {
      upstream.write(bytes);
      return;
    }
    const { moment, done } = this.#armed;
    this.#armed = undefined;
    if (moment === "answered") {
      link.cutsAtAnswer = true;
      upstream.write(bytes);
    } else if (moment === "before") {
      sever(link);
    } else {
      const part = moment === "half" ? bytes.length >> 1 : bytes.length;
      link.client.destroy();
      // What was written leaves before the end does.
      upstream.end(bytes.subarray(0, part));
    }
    done();
  }

  #answer(link: Link, bytes: Buffer): void {
    if (link.cutsAtAnswer) sever(link);
    else if (!link.client.destroyed) link.client.write(bytes);
  }
}

function sever({ client, upstream }: Link): void {
  client.destroy();
  if (!upstream.writableEnded) upstream.destroy();
}
