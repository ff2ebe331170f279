import { createServer, type AddressInfo, type Socket } from "node:net";

/** One request, as an ICAP service reads it. */
export interface IcapRequest {
  method: string;
  uri: string;
  headers: Record<string, string>;
  /** The heads of the request and the answer that it encapsulates. */
  encapsulated: string;
  /** What of the file came before the service had said anything. */
  preview: string;
  /** All of the file that came. */
  body: string;
}

export interface IcapBehaviour {
  /** The answer to OPTIONS, after its status line. */
  options?: readonly string[];
  /** What is said of a preview; `continue` unless said. */
  onPreview?: (request: IcapRequest) => string;
  /** What is said of a whole file; 204 unless said. */
  onWhole?: (request: IcapRequest) => string;
  /** Instead of all of the above: what is done with a connection. */
  onConnection?: (socket: Socket) => void;
}

export const CLEAN = 'ICAP/1.0 204 No Content\r\nISTag: "x"\r\n\r\n';

/** An answer with another page in the file's place. */
export const replaced = ({
  status = 200,
  body = "blocked",
  headers = "",
} = {}): string => {
  const head = `HTTP/1.1 ${status} Said\r\nContent-Type: text/html\r\n\r\n`;
  return `ICAP/1.0 200 OK\r\n${headers}Encapsulated: res-hdr=0, res-body=${head.length}\r\n\r\n${head}${chunked(body)}`;
};

export const chunked = (body: string): string =>
  body === ""
    ? "0\r\n\r\n"
    : `${Buffer.byteLength(body, "latin1").toString(16)}\r\n${body}\r\n0\r\n\r\n`;

/** An ICAP service on loopback (RFC 3507), while the specs of a `describe` run. */
export function useIcapServer(): {
  readonly url: string;
  readonly asked: IcapRequest[];
  behave(how: IcapBehaviour): void;
} {
  const asked: IcapRequest[] = [];
  const sockets = new Set<Socket>();
  let behaviour: IcapBehaviour = {};
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    if (behaviour.onConnection) {
      behaviour.onConnection(socket);
      return;
    }
    serve(socket, behaviour, asked).catch(() => socket.destroy());
  });
  before("start an ICAP server", async () => {
    await new Promise<void>((done) =>
      server.listen(0, "127.0.0.1", () => done()),
    );
  });
  after("stop the ICAP server", async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => server.close(done));
  });
  beforeEach(() => {
    asked.length = 0;
    behaviour = {};
  });
  return {
    asked,
    get url() {
      const { port } = server.address() as AddressInfo;
      return `icap://127.0.0.1:${port}/avscan`;
    },
    behave(how) {
      behaviour = how;
    },
  };
}

async function serve(
  socket: Socket,
  { options = ["Methods: RESPMOD", "Allow: 204"], ...how }: IcapBehaviour,
  asked: IcapRequest[],
): Promise<void> {
  const read = readerOf(socket);
  const [first = "", ...lines] = (await read.until("\r\n\r\n")).split("\r\n");
  const [method = "", uri = ""] = first.split(" ");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const [name = "", ...value] = line.split(": ");
      return [name.toLowerCase(), value.join(": ")];
    }),
  );
  const request: IcapRequest = {
    ...{ method, uri, headers },
    ...{ encapsulated: "", preview: "", body: "" },
  };
  asked.push(request);
  if (method === "OPTIONS") {
    const answer = [...options, "Encapsulated: null-body=0"].join("\r\n");
    socket.end(`ICAP/1.0 200 OK\r\n${answer}\r\n\r\n`);
    return;
  }
  const [, at = "0"] =
    /res-body=(\d+)/.exec(headers["encapsulated"] ?? "") ?? [];
  request.encapsulated = await read.bytes(Number(at));
  if ("preview" in headers) {
    const { body, isAll } = await readBody(read);
    request.preview = body;
    request.body = body;
    if (!isAll) {
      const said = how.onPreview?.(request) ?? "continue";
      if (said !== "continue") {
        socket.end(said, "latin1");
        return;
      }
      socket.write("ICAP/1.0 100 Continue\r\n\r\n");
      request.body += (await readBody(read)).body;
    }
  } else {
    request.body = (await readBody(read)).body;
  }
  socket.end(how.onWhole?.(request) ?? CLEAN, "latin1");
}

async function readBody(
  read: ReturnType<typeof readerOf>,
): Promise<{ body: string; isAll: boolean }> {
  let body = "";
  for (;;) {
    const [size = "", extension] = (await read.until("\r\n")).split("; ");
    const length = parseInt(size, 16);
    body += await read.bytes(length);
    await read.until("\r\n");
    if (length === 0) return { body, isAll: extension === "ieof" };
  }
}

function readerOf(socket: Socket) {
  const chunks = socket[Symbol.asyncIterator]();
  let text = "";
  const more = async () => {
    const { done, value } = (await chunks.next()) as IteratorResult<Buffer>;
    if (done === true) throw new Error("The client has gone.");
    text += value.toString("latin1");
  };
  const take = (length: number, skipped = 0) => {
    const part = text.slice(0, length);
    text = text.slice(length + skipped);
    return part;
  };
  return {
    async until(end: string): Promise<string> {
      while (!text.includes(end)) await more();
      return take(text.indexOf(end), end.length);
    },
    async bytes(length: number): Promise<string> {
      while (text.length < length) await more();
      return take(length);
    },
  };
}
