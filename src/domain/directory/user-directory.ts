import type { Edges } from "../../edges.ts";
import { isUserId, localpartOf } from "../../core/ids.ts";
import { listNamedUsersAfter } from "../../storage/user-directory.ts";
import { slot } from "../../util/process-memory.ts";
import { profileContext } from "../accounts/member-profile.ts";
import { UserIndex } from "./user-index.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** Above it people are no longer added: some 400 bytes for each. */
const MOST_USERS = 300_000;
/** Opened at once: the process serves others between two pages. */
const PAGE = 200;

interface Directory {
  index: UserIndex;
  /** All changes of names up to here are in it. */
  position: number;
  reading: Promise<void> | undefined;
}

const directories = slot((): Directory => ({
  index: new UserIndex(),
  position: 0,
  reading: undefined,
}));

/**
 * The names of this server's users, opened. They are sealed in the database, where a
 * hash of each beginning would betray them: so each process that is asked reads them,
 * goes on where the stream has moved on, and keeps them in its memory alone.
 */
export async function readUserDirectory(edges: Needs): Promise<UserIndex> {
  const directory = edges.memory.of(directories);
  // Who reads for others goes on where it was given up.
  directory.reading ??= readOn(edges, directory).finally(() => {
    directory.reading = undefined;
  });
  await directory.reading;
  return directory.index;
}

async function readOn(
  { db, keyring }: Needs,
  directory: Directory,
): Promise<void> {
  for (;;) {
    const users = await listNamedUsersAfter(db, directory.position, PAGE);
    const names = await keyring.openAll(
      users.map(({ userId, keyId, sealed }) => ({
        context: profileContext(userId, "displayname"),
        keyId: keyId ?? 0,
        sealed: sealed ?? NONE,
      })),
    );
    users.forEach(({ userId, position }, i) => {
      note(directory.index, userId, names[i]);
      directory.position = position;
    });
    if (users.length < PAGE) return;
  }
}

const NONE = new TextEncoder().encode("null");

/** @param text JSON of the name; undefined where its key is destroyed */
function note(
  index: UserIndex,
  userId: string,
  text: string | undefined,
): void {
  if (!index.has(userId) && index.size >= MOST_USERS) return;
  const name: unknown = text === undefined ? null : JSON.parse(text);
  const id = isUserId(userId) ? localpartOf(userId) : userId;
  if (typeof name === "string") index.set(userId, [name, id], name);
  else index.set(userId, [id]);
}
