import type { TestDatabase } from "./database.ts";

/**
 * Holds a user's row while `act` starts what changes the user or the devices:
 * that reads what stands now and commits later, when the row is let go.
 * @param act waits until so many writers queue, and answers how to await them
 */
export async function whileUserIsHeld<T>(
  database: TestDatabase,
  userId: string,
  act: (waiting: (count: number) => Promise<void>) => Promise<() => Promise<T>>,
): Promise<T> {
  const holder = database.open({ poolSize: 1 });
  const waiting = async (count: number): Promise<void> => {
    for (let found = 0; found < count;) {
      const [row] = await database.sql<{ count: number }[]>`
        select count(*) as count from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      found = row!.count;
    }
  };
  const finish = await holder.begin(async (tx) => {
    await tx`select from users where user_id = ${userId} for update`;
    return act(waiting);
  });
  return (finish as () => Promise<T>)();
}
