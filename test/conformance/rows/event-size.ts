import { expectError } from "../harness/client.ts";
import { row } from "../harness/registry.ts";
import { trySetState } from "../harness/rooms.ts";

const LARGE = "and they don't stop coming ".repeat(2_700);

row("csapi", "TestEvent", "Parallel/Large Event", async (server) => {
  const alice = await server.user("alice");
  const roomId = await alice.createRoom({ room_version: "6" });
  const target = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/1`;
  const answer = await alice.put(target, { msgtype: "m.text", body: LARGE });
  expectError(answer, 413, "M_TOO_LARGE");
});

row("csapi", "TestEvent", "Parallel/Large State Event", async (server) => {
  const alice = await server.user("alice");
  const roomId = await alice.createRoom({ room_version: "6" });
  const content = { body: LARGE };
  const answer = await trySetState(alice, roomId, "marvel.fate", content);
  expectError(answer, 413, "M_TOO_LARGE");
});
