import { expect } from "chai";
import { useFolder } from "./myelin.ts";

describe("myelin database verify", function () {
  this.timeout(60_000);
  const place = useFolder();

  it("reads the events of a server that runs, and says that they are what was sent", async () => {
    const run = place.start({
      environment: { MYELIN_REGISTRATION_MODE: "open" },
    });
    const url = `${await run.ready()}/_matrix/client/v3`;
    const ask = async (target: string, body: object, token = "") => {
      const answer = await fetch(url + target, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      });
      expect(answer.status, target).to.equal(200);
      return (await answer.json()) as Record<string, string>;
    };
    const { access_token: token = "" } = await ask("/register", {
      ...{ username: "ann", password: "correct horse battery" },
      auth: { type: "m.login.dummy" },
    });
    await ask("/createRoom", { name: "Of ann" }, token);
    const verify = place.start({ arguments: ["database", "verify"] });
    expect(await verify.ended, verify.stderr).to.equal(0);
    expect(verify.stdout).to.match(/^[1-9]\d* events are what was sent/);
    expect(verify.stdout).to.include("0 are damaged");
    expect(await run.stop()).to.equal(0);
  });
});
