import { expect } from "chai";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";
import { withPassword } from "../../support/with-password.ts";

describe("/devices", () => {
  const server = useServer();

  const logIn = async (user: TestUser, device_id: string) => {
    const { userId, password } = user;
    const answer = await server.post("/login", {
      type: "m.login.password",
      user: userId,
      password,
      device_id,
    });
    const accessToken = answer.body["access_token"] as string;
    return server.as({ accessToken });
  };
  const idsOf = async (user: TestUser) => {
    const { body } = await user.get("/devices");
    const devices = body["devices"] as { device_id: string }[];
    return devices.map((device) => device.device_id);
  };

  it("lists the user's own, and no others", async () => {
    const [alice, bob] = [await server.user("alice"), await server.user("bob")];
    await logIn(alice, "PHONE");
    expect(await idsOf(alice)).to.have.members([alice.deviceId, "PHONE"]);
    const path = `/devices/${bob.deviceId}`;
    for (const answer of [
      await alice.get(path),
      await alice.put(path, { display_name: "Mine" }),
    ]) {
      expect(answer.status).to.equal(404);
      expect(answer.body["errcode"]).to.equal("M_NOT_FOUND");
    }
  });

  it("names a device, and tells syncs that it changed", async () => {
    const carol = await server.user("carol");
    const path = `/devices/${carol.deviceId}`;
    const display_name = "Carol's ✓ phone";
    expect((await carol.put(path, { display_name })).status).to.equal(200);
    expect((await carol.put(path, {})).status, "nothing to do").to.equal(200);
    const device = await carol.get(path);
    expect(device.body).to.include({
      device_id: carol.deviceId,
      display_name,
    });
    const changes = await server.database
      .sql`select from device_list_changes where user_id = ${carol.userId}`;
    expect(changes.length).to.be.above(0);
  });

  it("wakes those who share a room for a new name", async () => {
    const ann = await server.user("ann");
    await ann.post("/createRoom");
    const { notifier } = server.edges;
    const before = await notifier.refresh();
    const display_name = "Ann's phone";
    await ann.put(`/devices/${ann.deviceId}`, { display_name });
    await notifier.refresh();
    const rooms = await server.database.sql<{ roomNid: number }[]>`
      select room_nid from memberships where user_id = ${ann.userId}`;
    expect([...notifier.changesSince(before)!.roomNids]).to.deep.equal(
      rooms.map(({ roomNid }) => roomNid),
    );
  });

  it("keeps a name that is given while the device is seen", async () => {
    const dave = await server.user("dave");
    const path = `/devices/${dave.deviceId}`;
    const answers = await Promise.all([
      dave.put(path, { display_name: "Dave's" }),
      ...Array.from({ length: 10 }, () => dave.get("/account/whoami")),
    ]);
    for (const { status } of answers) expect(status).to.equal(200);
    const device = await dave.get(path);
    expect(device.body["display_name"]).to.equal("Dave's");
  });

  it("removes one with the password, and its session with it", async () => {
    const erin = await server.user("erin");
    const phone = await logIn(erin, "PHONE");
    const type = "org.matrix.msc3890.local_notification_settings.PHONE";
    const settings = `/user/${erin.userId}/account_data/${type}`;
    await erin.put(settings, { is_silenced: true });
    const path = "/devices/PHONE";
    const wrong = { password: "a guess" };
    const refused = await withPassword(erin, "DELETE", path, {}, wrong);
    expect(refused.status).to.equal(401);
    expect((await phone.get("/account/whoami")).status).to.equal(200);
    const done = await withPassword(erin, "DELETE", path);
    expect(done.status, done.text).to.equal(200);
    expect((await phone.get("/account/whoami")).status).to.equal(401);
    expect(await idsOf(erin)).to.deep.equal([erin.deviceId]);
    expect((await erin.get(settings)).status).to.equal(404);
  });

  it("removes several at once, and none of another user", async () => {
    const [fay, gus] = [await server.user("fay"), await server.user("gus")];
    await logIn(fay, "ONE");
    await logIn(fay, "TWO");
    const devices = ["ONE", "TWO", gus.deviceId, "UNKNOWN", "", "NUL\0"];
    const path = "/delete_devices";
    const done = await withPassword(fay, "POST", path, { devices });
    expect(done.status, done.text).to.equal(200);
    expect(await idsOf(fay)).to.deep.equal([fay.deviceId]);
    expect(await idsOf(gus)).to.deep.equal([gus.deviceId]);
  });

  it("authorises for the very devices that were asked about", async () => {
    const hal = await server.user("hal");
    await logIn(hal, "ONE");
    const asked = await hal.post("/delete_devices", { devices: ["ONE"] });
    const auth = {
      type: "m.login.password",
      user: hal.userId,
      password: hal.password,
      session: asked.body["session"],
    };
    const body = { devices: [hal.deviceId], auth };
    const other = await hal.post("/delete_devices", body);
    expect(other.status).to.equal(401);
    expect(await idsOf(hal)).to.have.length(2);
  });
});
