import { expect } from "chai";
import { pathsOf } from "../../../src/http/compile.ts";
import { endpoints } from "../../../src/http/endpoints.ts";
import { forClients } from "../../../src/http/admin/paths.ts";

describe("paths of clients", () => {
  const served = forClients(endpoints).flatMap((each) => pathsOf(each));

  it("have none of administrators among them, whatever else an endpoint is served at", () => {
    const admin = served.filter((path) =>
      /^\/_(?:myelin|synapse)\/admin\//.test(path),
    );
    expect([...new Set(admin)]).to.deep.equal(["/_synapse/admin/v1/register"]);
  });

  it("have all that the specification gives administrators", () => {
    for (const path of ["v1/admin/suspend", "v1/admin/lock", "v3/admin/whois"])
      expect(served).to.include(`/_matrix/client/${path}/:userId`);
  });
});
