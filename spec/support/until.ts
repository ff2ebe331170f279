/** Looks again and again until it is so; every look is a round trip of its own. */
export async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look()));
}
