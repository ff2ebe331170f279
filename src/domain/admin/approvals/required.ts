import { factsOf, isPermission, type Permission } from "../permissions.ts";

/** Classes, permissions, and areas of them: `D`, `rooms.delete`, `roles.*`. */
const CLASSES: readonly string[] = ["D", "P"];
const AREA = /^([a-z]+)\.\*$/;

/** These are how it is done: they cannot wait for it. */
const FREE = /^(?:approvals|me)\./;

/** Whether a permission is one of those that take a second person. */
export const isRequired = (
  required: readonly string[],
  permission: Permission,
): boolean =>
  !FREE.test(permission) &&
  required.some((wanted) => isMeant(wanted, permission));

function isMeant(wanted: string, permission: Permission): boolean {
  if (CLASSES.includes(wanted))
    return factsOf(permission).class.includes(wanted);
  const [, area] = AREA.exec(wanted) ?? [];
  // To look at an area changes nothing in it.
  return area === undefined
    ? wanted === permission
    : permission.startsWith(`${area}.`) && !permission.endsWith(".read");
}

/** What of a list names nothing that there is. */
export const findUnknown = (
  required: readonly string[],
  names: readonly string[],
): string | undefined =>
  required.find((wanted) => {
    const [, area] = AREA.exec(wanted) ?? [];
    return (
      !CLASSES.includes(wanted) &&
      !isPermission(wanted) &&
      !names.some((name) => area !== undefined && name.startsWith(`${area}.`))
    );
  });
