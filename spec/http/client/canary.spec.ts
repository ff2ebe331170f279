import { expect } from "chai";
import { newDevice } from "../../support/device-identity.ts";
import { backupInfo, keyData, makeBackup } from "../../support/key-backup.ts";
import { useServer } from "../../support/server.ts";
import { withPassword } from "../../support/with-password.ts";

const CANARY = "canary-Qm7wXz";

describe("secrets at rest", () => {
  const server = useServer({
    "registration.shared_secret": `${CANARY}-shared-secret`,
  });

  it("stand in no table: passwords, tokens and what people call their devices", async () => {
    const form = { username: "alice", password: `${CANARY}-first` };
    const asked = await server.post("/register", form);
    const auth = { type: "m.login.dummy", session: asked.body["session"] };
    const made = await server.post("/register", { ...form, auth });
    const opened = await server.post("/login", {
      type: "m.login.password",
      user: "alice",
      password: form.password,
      refresh_token: true,
      initial_device_display_name: `${CANARY}-device`,
    });
    await server.post("/login", {
      type: "m.login.password",
      user: "alice",
      password: `${CANARY}-wrong`,
    });
    const { password } = form;
    const userId = "@alice:test";
    const accessToken = made.body["access_token"] as string;
    const alice = {
      ...server.as({ accessToken }),
      ...{ accessToken, userId, password, deviceId: "" },
    };
    const path = "/account/password";
    await alice.post(path, { new_password: `${CANARY}-second` });
    await withPassword(
      alice,
      "POST",
      path,
      { new_password: `${CANARY}-third` },
      { password: `${CANARY}-wrong` },
    );
    const changed = await withPassword(alice, "POST", path, {
      new_password: `${CANARY}-fourth`,
    });
    expect(changed.status, changed.text).to.equal(200);
    await alice.put(`/profile/${userId}/displayname`, {
      displayname: `${CANARY}-name`,
    });
    await alice.put(`/user/${userId}/account_data/m.x`, { text: CANARY });
    const version = await makeBackup(alice);
    await alice.put(`/room_keys/version/${version}`, backupInfo({ a: CANARY }));
    const key = keyData({ session_data: { text: CANARY } });
    await alice.put(`/room_keys/keys/!room:test/s?version=${version}`, key);
    const sleeper = newDevice({ userId, deviceId: "SLEEPER" });
    const asleep = await alice.put(
      "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device",
      {
        device_id: "SLEEPER",
        device_data: { algorithm: "a", text: CANARY },
        device_keys: sleeper.deviceKeys,
      },
    );
    expect(asleep.status, asleep.text).to.equal(200);

    const dump = await dumpTables();
    expect(dump).to.include("@alice:test");
    expect(dump).to.not.include(CANARY);
    expect(dump).to.not.include(Buffer.from(CANARY).toString("hex"));
    for (const token of [
      accessToken,
      opened.body["access_token"] as string,
      opened.body["refresh_token"] as string,
    ])
      expect(dump).to.not.include(token);
  });

  async function dumpTables(): Promise<string> {
    const { sql } = server.database;
    const tables = await sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public'`;
    expect(tables.length).to.be.above(20);
    const texts = await Promise.all(
      tables.map(({ name }) => sql`select t::text as row from ${sql(name)} t`),
    );
    return JSON.stringify(texts);
  }
});
