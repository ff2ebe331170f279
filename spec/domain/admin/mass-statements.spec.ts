import { expect } from "chai";
import { parseUserId } from "../../../src/core/ids.ts";
import {
  reportCampaign,
  searchCampaignMembers,
} from "../../../src/domain/admin/campaigns/campaigns.ts";
import { reviewList } from "../../../src/domain/admin/imports/import-users.ts";
import { listBeyond } from "../../../src/domain/admin/hold-over.ts";
import { countStatements } from "../../support/count-statements.ts";
import { useServer } from "../../support/server.ts";

describe("the statements of what is done to many", () => {
  const server = useServer();

  const count = async (
    read: (edges: typeof server.edges) => Promise<unknown>,
  ): Promise<number> => {
    const { edges } = server;
    const { sql, taken } = countStatements(edges.db);
    await read({ ...edges, db: sql });
    return taken();
  };
  const listOf = (accounts: number) =>
    Buffer.from(
      [
        "localpart,email,groups",
        ...Array.from({ length: accounts }, (_, i) => `u${i},u${i}@x.org,g`),
      ].join("\n"),
    );

  it("are as many for a list of 500 accounts as for one of 10", async () => {
    const review = (accounts: number) =>
      count((edges) => reviewList(edges, listOf(accounts)));
    const few = await review(10);
    expect(few).to.be.at.most(3);
    expect(await review(500)).to.equal(few);
  });

  it("are as many for a campaign of 500 as for one of 10", async () => {
    const { sql } = server.database;
    const make = async (campaignId: string, members: number) => {
      await sql`
        insert into campaigns (campaign_id, name, job_id, audience_kind, audience_id, content, reminder, most_reminders,
          closes_ts, created_by, created_ts)
        values (${campaignId}, 'n', ${campaignId}, 'users', '', '{}', '{}', 0, 1, '@a:test', 1)`;
      await sql`
        insert into campaign_members (campaign_id, user_id, room_nid, event_id, event_position, sent_ts)
        select ${campaignId}, '@m' || n || ':test', n, '$e' || n, n, 1 from generate_series(1, ${members}::int) n`;
    };
    await make("few", 10);
    await make("many", 500);
    const page = { offset: 0, limit: 500, isDescending: false };
    const read = (id: string) =>
      count(async (edges) => {
        await reportCampaign(edges, id);
        await searchCampaignMembers(edges, id, null, page);
      });
    const few = await read("few");
    expect(few).to.be.at.most(4);
    expect(await read("many")).to.equal(few);
  });

  it("are as many for the sessions of 500 as for those of 10", async () => {
    const users = (n: number) =>
      Array.from({ length: n }, (_, i) => `@s${i}:test`);
    const who = { userId: parseUserId("@a:test") };
    const ask = (n: number) =>
      count((edges) =>
        listBeyond(edges, who, "users.sessions.write", users(n)),
      );
    expect(await ask(10)).to.equal(1);
    expect(await ask(500)).to.equal(1);
  });
});
