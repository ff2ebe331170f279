import { expect } from "chai";
import { goThroughDrill } from "../../src/cli/incident-drill.ts";
import { readAudit } from "../support/audit.ts";
import { useServer } from "../support/server.ts";

describe("myelin incident drill", () => {
  const server = useServer();

  it("goes through an incident, which stays known with its report and its records", async () => {
    const said = await goThroughDrill(server.edges);
    expect(said.split("\n")).to.have.length(6);
    expect(said).to.match(/^the audit log tells what was done: \d+ ms$/m);
    const [row] = await server.database.sql<
      { state: string; report: string; closedBy: string }[]
    >`select state, report, closed_by from incidents`;
    expect(row).to.include({ state: "closed", closedBy: "command line" });
    expect(row!.report).to.match(/^parties outside: \d+$/m);
    const records = await readAudit(server);
    expect(
      records.map(({ action, actor }) => [action, actor["type"]]),
    ).to.deep.equal([
      ["incidents.write", "command line"],
      ["incidents.write", "command line"],
    ]);
  });
});
