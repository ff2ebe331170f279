import type { PolicyDocument } from "../../src/core/policy/document.ts";
import { administrator } from "./administrators.ts";
import { must, path } from "./rooms.ts";
import type { Json, TestServer, TestUser } from "./server.ts";

export const ADMIN = "/_myelin/admin/v1";

/** Two people who see to policies: what one writes the other puts in force. */
export interface PolicyMakers {
  author: TestUser;
  activator: TestUser;
  /** Writes a policy and puts it in force; answers its version. */
  enact(policyId: string, document: PolicyDocument): Promise<number>;
  lift(policyId: string): Promise<void>;
  describeUser(userId: string, attributes: Json): Promise<void>;
  describeRoom(roomId: string, attributes: Json): Promise<void>;
}

export async function policyMakers(server: TestServer): Promise<PolicyMakers> {
  const author = await administrator(server, "author", "security-admin");
  const activator = await administrator(server, "activator", "security-admin");
  return {
    author,
    activator,
    async enact(policyId, document) {
      const target = `${ADMIN}/policies/${policyId}`;
      const { version } = must<{ version: number }>(
        await author.put(target, document),
      );
      must(await activator.post(`${target}/activate`, { version }));
      return version;
    },
    async lift(policyId) {
      must(await activator.post(`${ADMIN}/policies/${policyId}/deactivate`));
    },
    async describeUser(userId, attributes) {
      const target = `${ADMIN}${path`/users/${userId}/attributes`}`;
      must(await author.put(target, { attributes }));
    },
    async describeRoom(roomId, attributes) {
      const target = `${ADMIN}${path`/rooms/${roomId}/attributes`}`;
      must(await author.put(target, { attributes }));
    },
  };
}

/** What is classified may be read, and so on, by who is cleared for it alone. */
export const clearedOnly = (
  ...actions: PolicyDocument["rules"][number]["actions"][number][]
): PolicyDocument => ({
  rules: [
    {
      name: "cleared only",
      effect: "deny",
      actions,
      when: {
        all: [
          { gte: [{ resource: "level" }, 1] },
          { not: { gte: [{ user: "clearance" }, { resource: "level" }] } },
        ],
      },
    },
  ],
});
