import { expectError, path } from "../harness/client.ts";
import { row, shared } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";

/** Room version 6 is the first to be strict about numbers. */
const room = shared(async (server) => {
  const alice = await server.user("json");
  return { alice, roomId: await alice.createRoom({ room_version: "6" }) };
});

async function expectRefused(server: Server, raw: string, errcode?: string) {
  const { alice, roomId } = await room(server);
  const target = path`/rooms/${roomId}/send/org.example.dummy/${alice.nextTxn()}`;
  const body = Buffer.from(raw);
  expectError(await alice.request("PUT", target, { body }), 400, errcode);
}

row(
  "csapi",
  "TestJson",
  "Parallel/Invalid numerical values",
  async (server) => {
    for (const value of ["9007199254740992", "-9007199254740992", "1.1"])
      await expectRefused(server, `{"body": ${value}}`, "M_BAD_JSON");
  },
);

row(
  "csapi",
  "TestJson",
  "Parallel/Invalid JSON special values",
  async (server) => {
    for (const value of ["Infinity", "-Infinity", "NaN"])
      await expectRefused(server, `{"body": ${value}}`);
  },
);

row(
  "csapi",
  "TestRequestEncodingFails",
  "POST rejects invalid utf-8 in JSON",
  async (server) => {
    const body = Buffer.concat([
      Buffer.from('{"test":"a'),
      Buffer.from([0x81]),
      Buffer.from('"}'),
    ]);
    const answer = await server.request("POST", "/register", { body });
    expectError(answer, 400, "M_NOT_JSON");
  },
);
