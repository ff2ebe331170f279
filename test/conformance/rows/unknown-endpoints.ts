import { expectError } from "../harness/client.ts";
import { row } from "../harness/registry.ts";

row("general", "TestUnknownEndpoints", "Unknown prefix", async (server) => {
  const alice = await server.user("alice");
  for (const target of ["/_matrix/unknown", "/_matrix/unknown/v3/sync"])
    expectError(await alice.get(target), 404, "M_UNRECOGNIZED");
});

row(
  "general",
  "TestUnknownEndpoints",
  "Client-server endpoints",
  async (server) => {
    const alice = await server.user("alice");
    for (const target of [
      "/_matrix/client/unknown",
      "/_matrix/client/v1/unknown",
      "/_matrix/client/v3/room/unknown",
    ])
      expectError(await alice.get(target), 404, "M_UNRECOGNIZED");
    expectError(await alice.put("/login", {}), 405, "M_UNRECOGNIZED");
  },
);

row("general", "TestUnknownEndpoints", "Media endpoints", async (server) => {
  const alice = await server.user("alice");
  for (const target of [
    "/_matrix/media/unknown",
    "/_matrix/media/v3/unknown",
    "/_matrix/client/v1/media/unknown",
  ])
    expectError(await alice.get(target), 404, "M_UNRECOGNIZED");
  const wrong = await alice.request("PATCH", "/_matrix/media/v3/upload");
  expectError(wrong, 405, "M_UNRECOGNIZED");
});
