import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { useDeployment } from "../support/server.ts";
import type { DeviceProgram } from "./device-program.ts";
import { hasNio, startNioDevice } from "./start-device.ts";
import { MEGOLM } from "./talk.ts";

const title = "matrix-nio, encrypted, through two server processes";

if (!hasNio) {
  // No function: mocha counts it neither as passed nor as failed.
  describe(title, () => {
    it("needs Debian's python3-matrix-nio, which is not installed here");
  });
} else {
  describe(title, () => {
    let alice: DeviceProgram;
    let bob: DeviceProgram;
    after("end the clients", () =>
      Promise.all([alice, bob].map((device) => device?.end())),
    );
    const deployment = useDeployment();

    it("shows every message once, decrypted, also to one who was away", async function () {
      this.timeout(120_000);
      const servers = [await deployment.start(), await deployment.start()];
      [alice, bob] = [startNioDevice(), startNioDevice()];
      const suffix = randomBytes(4).toString("hex");
      const password = "a password of nio";
      const [aliceId, bobId] = await Promise.all(
        [alice, bob].map(async (device, i) => {
          const name = `${["alice", "bob"][i]}-${suffix}`;
          const { url } = servers[i]!;
          const account = { url, name, password };
          return (await device.ask("register", account)).user_id;
        }),
      );
      const people = [aliceId!, bobId!];
      const room_id = await alice.ask("create_room", {
        invite: [bobId!],
        encryption: MEGOLM,
      });
      await bob.ask("join", { room_id });
      for (const device of [alice, bob])
        await device.ask("meet", { room_id, user_ids: people });

      const sent: string[] = [];
      const say = async (device: DeviceProgram, body: string) => {
        const content = { msgtype: "m.text", body };
        const message = { room_id, type: "m.room.message", content };
        sent.push(await device.ask("send", message));
      };
      const hear = (device: DeviceProgram) =>
        device.ask("hear", { event_id: sent.at(-1)! });
      await say(alice, "hello bob");
      await hear(bob);
      await say(bob, "hello alice");
      await hear(alice);
      await bob.ask("leave", {});
      for (let i = 0; i < 3; i += 1) await say(alice, `while away ${i}`);
      await bob.ask("come_back", {});
      await hear(bob);

      for (const device of [alice, bob]) {
        const { opened, closed } = await device.ask("read", { room_id });
        const messages = opened.filter(({ type }) => type === "m.room.message");
        expect(messages.map(({ event_id }) => event_id)).to.deep.equal(sent);
        expect(messages.map(({ content }) => content["body"])).to.deep.equal([
          "hello bob",
          "hello alice",
          "while away 0",
          "while away 1",
          "while away 2",
        ]);
        expect(closed).to.deep.equal({});
        const following = await device.ask("following", {});
        expect(following.closed).to.deep.equal({});
        const isSent = (id: string) => sent.includes(id);
        expect(following.shown.filter(isSent)).to.deep.equal(sent);
      }
    });
  });
}
