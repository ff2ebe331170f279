import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import type { JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { accountData, findEvent, roomAccountData } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const TYPE = "org.example.test";
const CONTENT = { test_data: 1 };
const UNSTABLE = "/_matrix/client/unstable/org.matrix.msc3391";

/** Where account data are set, and where syncs show them. */
interface Place {
  target: string;
  shownIn(sync: JsonObject): JsonObject[];
}

const globally = ({ userId }: User): Place => ({
  target: path`/user/${userId}/account_data/${TYPE}`,
  shownIn: accountData,
});

async function inRoom(user: User): Promise<Place> {
  const roomId = await user.createRoom();
  return {
    target: path`/user/${user.userId}/rooms/${roomId}/account_data/${TYPE}`,
    shownIn: (sync) => roomAccountData(sync, roomId),
  };
}

const deleting = (
  name: string,
  placeOf: (user: User) => Place | Promise<Place>,
  remove: (user: User, target: string) => Promise<unknown>,
) =>
  row("msc3391", "TestRemovingAccountData", name, async (server) => {
    const alice = await server.user("alice");
    const { target, shownIn } = await placeOf(alice);
    const waitFor = async (content: JsonObject, since: string) => {
      const isShown = (sync: JsonObject) =>
        JSON.stringify(findEvent(shownIn(sync), TYPE)?.["content"]) ===
        JSON.stringify(content);
      await alice.syncUntil(isShown, { since });
    };
    const since = await alice.syncToken();
    await alice.mustPut(target, CONTENT);
    await waitFor(CONTENT, since);
    expect(await alice.mustGet(target)).to.deep.equal(CONTENT);

    const then = await alice.syncToken();
    await remove(alice, target);
    await waitFor({}, then);
    expectError(await alice.get(target), 404);
    expect(findEvent(shownIn(await alice.sync()), TYPE)).to.equal(undefined);
  });

const byDelete = (user: User, target: string) =>
  user.mustDelete(`${UNSTABLE}${target}`);
const byPut = (user: User, target: string) => user.mustPut(target, {});

deleting("Deleting a user's account data via DELETE works", globally, byDelete);
deleting("Deleting a user's account data via PUT works", globally, byPut);
deleting("Deleting a user's room data via DELETE works", inRoom, byDelete);
deleting("Deleting a user's room account data via PUT works", inRoom, byPut);
