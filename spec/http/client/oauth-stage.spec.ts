import { expect } from "chai";
import { newCrossSigning } from "../../support/device-identity.ts";
import { must } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";
import { withPassword } from "../../support/with-password.ts";

const URL = "https://accounts.test/reset";
const UPLOAD = "/keys/device_signing/upload";

describe("the m.oauth stage", () => {
  const server = useServer({ "cross_signing.reset_url": URL });

  const upload = (user: TestUser, auth?: Json, keys = newKeys(user)) =>
    user.post(UPLOAD, { ...keys, ...(auth && { auth }) });
  const newKeys = ({ userId }: TestUser) => newCrossSigning(userId).body;

  /** With keys, and no password to replace them by. */
  const outsider = async (name: string): Promise<TestUser> => {
    const user = await server.user(name);
    must(await upload(user));
    await server.database
      .sql`update users set password_hash = null where user_id = ${user.userId}`;
    return user;
  };
  const approve = (admin: TestUser, { userId }: TestUser) =>
    admin.post(
      `/_synapse/admin/v1/users/${encodeURIComponent(userId)}/_allow_cross_signing_replacement_without_uia`,
    );

  it("is what replaces the keys of an account without a password, once it was approved", async () => {
    const admin = await server.user("admin", { isAdmin: true });
    const user = await outsider("outsider");
    const keys = newKeys(user);
    const asked = await upload(user, undefined, keys);
    expect(asked.status).to.equal(401);
    expect(asked.body).to.deep.include({
      flows: [{ stages: ["m.oauth"] }],
      params: { "m.oauth": { url: URL } },
      completed: [],
    });
    const session = String(asked.body["session"]);
    for (const auth of [{ session }, { session, type: "m.oauth" }]) {
      const early = await upload(user, auth, keys);
      expect(early.status).to.equal(401);
      expect(early.body).to.include({ session });
    }
    const password = {
      ...{ session, type: "m.login.password", password: user.password },
      identifier: { type: "m.id.user", user: user.userId },
    };
    expect((await upload(user, password, keys)).body).to.include({
      errcode: "M_UNRECOGNIZED",
    });
    must(await approve(admin, user));
    must(await upload(user, { session }, keys));
    expect((await upload(user, { session })).status, "only once").to.equal(401);
  });

  it("is not offered to who has a password, nor for anything else", async () => {
    const user = await server.user("insider");
    must(await upload(user));
    const asked = await upload(user, { type: "m.oauth" });
    expect(asked.status).to.equal(401);
    expect(asked.body["flows"]).to.deep.equal([
      { stages: ["m.login.password"] },
    ]);
    expect(asked.body["params"]).to.deep.equal({});
    must(await withPassword(user, "POST", UPLOAD, newKeys(user)));
    const other = await outsider("other");
    const gone = await other.delete(`/devices/${other.deviceId}`);
    expect(gone.body["flows"]).to.deep.equal([
      { stages: ["m.login.password"] },
    ]);
  });
});
