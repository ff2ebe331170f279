import { expect } from "chai";
import {
  hasApprover,
  isApprover,
} from "../../../src/domain/admin/approvals/approvers.ts";
import { searchApprovals } from "../../../src/domain/admin/approvals/read.ts";
import { administrator, bindRole } from "../../support/administrators.ts";
import { countStatements } from "../../support/count-statements.ts";
import { useServer, type TestUser } from "../../support/server.ts";

describe("the statements of approvals", () => {
  const server = useServer();
  let root: TestUser;
  let other: TestUser;

  before(async () => {
    root = await administrator(server, "root", "system-admin");
    other = await administrator(server, "other", "user-manager");
  });

  const count = async (doing: (edges: typeof server.edges) => unknown) => {
    const counted = countStatements(server.edges.db);
    await doing({ ...server.edges, db: counted.sql });
    return counted.taken();
  };
  const matter = () => ({
    requestedBy: root.userId,
    requestedTs: Date.now(),
    userId: "@somebody:test",
    roomId: "",
    permissions: ["users.deactivate" as const],
  });
  const countAll = async () => [
    await count((edges) => hasApprover(edges, matter())),
    await count((edges) =>
      isApprover(edges, matter(), { userId: other.userId as never }),
    ),
    await count((edges) =>
      searchApprovals(edges, {
        ...{ requestedBy: null, state: null, isToReview: false },
        ...{ isDescending: false, limit: 500, offset: 0 },
      }),
    ),
  ];

  it("are as many for 500 administrators and requests as for two", async () => {
    const { sql } = server.database;
    const few = await countAll();
    await sql`
      insert into users (user_id, is_guest, created_ts)
      select '@more' || n || ':test', false, 1 from generate_series(1, 500) n`;
    await bindRole(server, "@more1:test", "system-admin");
    await sql`
      insert into role_bindings (binding_id, user_id, role_id, scope_kind, scope_id, reason, granted_by, granted_ts)
      select n, '@more' || n || ':test', 'user-manager', 'server', '', 'r', 'spec', 1 from generate_series(1, 500) n`;
    await sql`
      insert into approvals (approval_id, requested_by, request_hash, permissions, state, requested_ts, expires_ts,
        key_id, sealed)
      select 'a' || n, '@more' || n || ':test', 'h', '{users.deactivate}', 'pending', 1, 9007199254740991, 0, '{}'
      from generate_series(1, 500) n`;
    expect(await countAll()).to.deep.equal(few);
  });
});
