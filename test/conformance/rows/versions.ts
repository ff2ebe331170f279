import { expect } from "chai";
import { at, isObject, strings } from "../harness/json.ts";
import { row } from "../harness/registry.ts";

row(
  "csapi",
  "TestVersionStructure",
  "Version responds 200 OK with valid structure",
  async (server) => {
    const body = await server.mustGet("/_matrix/client/versions");
    const versions = strings(body, "versions");
    expect(versions).to.not.be.empty;
    for (const version of versions)
      expect(version).to.match(/^(v\d+\.\d+|r\d+\.\d+\.\d+)$/);
    const features = at(body, "unstable_features");
    if (features === undefined) return;
    if (!isObject(features)) throw new Error("unstable_features is no object");
    for (const [name, isOn] of Object.entries(features))
      expect(isOn, name).to.be.a("boolean");
  },
);

row("csapi", "TestServerCapabilities", "", async (server) => {
  const alice = await server.user("alice");
  const body = await alice.mustGet("/capabilities");
  const rooms = at(body, "capabilities", "m.room_versions");
  const preferred = at(rooms, "default");
  expect(preferred).to.be.a("string");
  const available = at(rooms, "available");
  if (!isObject(available)) throw new Error("no list of room versions");
  expect(Object.keys(available)).to.include(preferred);
  for (const [version, stability] of Object.entries(available))
    expect(stability, version).to.be.oneOf(["stable", "unstable"]);
  const password = at(body, "capabilities", "m.change_password", "enabled");
  expect(password).to.be.a("boolean");
});
