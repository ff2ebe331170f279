import { expect } from "chai";
import { makeOwner } from "../../../src/domain/admin/bindings.ts";
import { createAccount } from "../../../src/domain/accounts/create-account.ts";
import { must } from "../../support/rooms.ts";
import { useServer, type TestUser } from "../../support/server.ts";

const A = "/_myelin/admin/v1";

describe("the owner", () => {
  // After the set-up roles take a second person, which is approvals.spec.ts's.
  const server = useServer({ "approvals.required": [] });
  let root: TestUser;

  const refusal = async (userId: string) => {
    try {
      await makeOwner(server.edges, userId);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  const grant = (userId: string, role: string, more: object = {}) =>
    root.post(`${A}/role-bindings`, {
      user_id: userId,
      role,
      scope: { kind: "server" },
      reason: "the set-up",
      ...more,
    });

  it("is an account of this server with no other side's role", async () => {
    expect(await refusal("@absent:test")).to.match(/no such account/);
    const order = { localpart: "system", password: "a long password" };
    await createAccount(
      server.edges,
      { ...order, isAdmin: true, actor: "command line" },
      null,
    );
    expect(await refusal("@system:test")).to.match(/different people/);
    root = await server.user("root");
    expect(await refusal(root.userId)).to.equal(undefined);
    const own = must<{ permissions: string[] }>(
      await root.get(`${A}/me/permissions`),
    );
    expect(own.permissions).to.include("roles.grant");
  });

  it("is gone when there are a security-admin and a system-admin, and cannot be made again", async () => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const expires_ts = Date.now() + 60_000;
    must(await grant(alice.userId, "security-admin", { expires_ts }));
    must(await root.get(`${A}/roles`));
    const { binding_id } = must<{ binding_id: number }>(
      await grant(bob.userId, "security-admin"),
    );
    expect((await root.get(`${A}/roles`)).status).to.equal(403);
    const other = await server.user("other");
    expect(await refusal(other.userId)).to.match(/The set-up is over/);
    must(await bob.get(`${A}/roles`));
    // Nor is it undone by what comes after.
    await server.database
      .sql`delete from role_bindings where user_id = '@system:test'`;
    expect(await refusal(other.userId)).to.match(/The set-up is over/);
    const last = await bob.delete(`${A}/role-bindings/${binding_id}`);
    expect(last.body["error"]).to.match(/last security-admin/);
  });
});
