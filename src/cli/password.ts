import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { Secret } from "../util/secret.ts";
import type { Program } from "./program.ts";
import { UsageError } from "./usage.ts";

/** A new password, from standard input whole or asked for twice at a terminal. */
export async function readPassword(
  program: Program,
  isPiped: boolean,
): Promise<Secret> {
  if (isPiped)
    return new Secret((await text(program.stdin)).replace(/\r?\n$/, ""));
  if (!program.stdin.isTTY)
    throw new UsageError(
      "There is no terminal to ask for a password. Give --password-stdin.",
    );
  const first = await ask(program, "Password: ");
  const second = await ask(program, "Once more: ");
  if (first !== second) throw new UsageError("The two are not the same.");
  return new Secret(first);
}

/** One that is there already, asked for once. */
export async function askPassword(
  program: Program,
  isPiped: boolean,
): Promise<Secret> {
  return isPiped || !program.stdin.isTTY
    ? readPassword(program, isPiped)
    : new Secret(await ask(program, "Password: "));
}

async function ask(program: Program, question: string): Promise<string> {
  program.stdout.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({
    input: program.stdin,
    output: nowhere,
    terminal: true,
  });
  try {
    return await reader.question("");
  } finally {
    reader.close();
    program.stdout.write("\n");
  }
}
