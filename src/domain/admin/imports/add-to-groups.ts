import type { Edges } from "../../../edges.ts";
import { listProposedMembers } from "../../../storage/import-rows.ts";
import {
  changeAuthority,
  type Administrator,
  type AuthorityEdges,
} from "../change-authority.ts";
import { getImportJob } from "./import-users.ts";

const AT_ONCE = 500;
const MOST_ROUNDS = 20;

/**
 * Puts those who came by a list into the groups that it proposes for them: groups are
 * scopes of roles and what policies go by, so who makes accounts does not decide of them.
 */
export async function addImportedToGroups(
  edges: AuthorityEdges & Pick<Edges, "trail">,
  by: Administrator,
  jobId: string,
): Promise<{ added: number; isComplete: boolean }> {
  await getImportJob(edges.db, jobId);
  edges.trail?.note({ resource: { type: "imports", id: jobId } });
  let added = 0;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const count = await addSome(edges, by, jobId);
    added += count;
    if (count < AT_ONCE) return { added, isComplete: true };
  }
  return { added, isComplete: false };
}

async function addSome(
  edges: AuthorityEdges,
  by: Administrator,
  jobId: string,
): Promise<number> {
  // Where nobody is left, nothing changes of who may do what.
  if ((await listProposedMembers(edges.db, jobId, 1)).length === 0) return 0;
  return changeAuthority(edges, by, async () => {
    const members = await listProposedMembers(edges.db, jobId, AT_ONCE);
    const addedBy = by.requester.userId;
    const addedTs = edges.now();
    return {
      rows: {
        groupMembers: members.map((each) => ({ ...each, addedBy, addedTs })),
      },
      users: [...new Set(members.map(({ userId }) => userId))],
      act: {
        act: "groups.write" as const,
        target: `import ${jobId}`,
        details: {
          members: members.length,
          groups: [...new Set(members.map(({ groupId }) => groupId))],
        },
      },
      answer: members.length,
    };
  });
}
