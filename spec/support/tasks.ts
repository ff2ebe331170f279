import { runTask } from "../../src/domain/admin/tasks/run-tasks.ts";
import type { TestProcess } from "./server.ts";

/** Does all tasks that are due, as a process does by and by. */
export async function doTasks({ edges }: Pick<TestProcess, "edges">) {
  while (await runTask(edges));
}
