import type { Settings } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";

/** Throws `M_FORBIDDEN` where nobody can register by themselves. */
export function assertRegistrationOpen({
  registration,
}: Pick<Settings, "registration">): void {
  if (registration.mode !== "closed") return;
  throw new MatrixError("M_FORBIDDEN", "Registration is closed.");
}
