import type { Edges } from "../../../edges.ts";
import {
  listAccounts,
  type AccountRow,
  type AccountSearch,
} from "../../../storage/accounts.ts";
import { readUserDirectory } from "../../directory/user-directory.ts";
import { readMemberProfiles } from "../../rooms/member-profiles.ts";
import { textIn } from "./account.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

export interface ListedAccount extends AccountRow {
  displayName: string | null;
  avatarUrl: string | null;
}

/** A page of the accounts; names are sealed, so what goes by them is asked of memory first. */
export async function searchAccounts(
  edges: Needs,
  wanted: Omit<AccountSearch, "named" | "byName">,
): Promise<{ accounts: ListedAccount[]; total: number }> {
  const isOrderedByName = wanted.orderBy === "displayname";
  const names = await namesFor(edges, wanted.name, isOrderedByName);
  const { accounts, total } = await listAccounts(edges.db, {
    ...wanted,
    ...names,
  });
  const profileOf = await readMemberProfiles(
    edges,
    accounts.map(({ userId }) => userId),
  );
  return {
    total,
    accounts: accounts.map((row) => {
      const profile = profileOf(row.userId);
      return {
        ...row,
        displayName: textIn(profile["displayname"]),
        avatarUrl: textIn(profile["avatar_url"]),
      };
    }),
  };
}

/** Who has a display name that holds a text, and all who have one, in its order. */
export async function namesFor(
  edges: Needs,
  text: string | null,
  isOrdered: boolean,
): Promise<{ named: string[]; byName: string[] }> {
  if (text === null && !isOrdered) return { named: [], byName: [] };
  const index = await readUserDirectory(edges);
  return {
    named: text === null ? [] : index.named(text),
    byName: isOrdered ? index.byName() : [],
  };
}
