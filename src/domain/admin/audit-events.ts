/** What people do with their own accounts that the audit log tells of. */
export type AuditEvent =
  | "auth.login"
  | "auth.login_token"
  | "auth.logout"
  | "auth.logout_all"
  | "auth.password"
  | "auth.register"
  | "auth.refresh_reused"
  | "auth.cross_signing"
  | "auth.devices"
  | "auth.deactivate"
  /** A wiped device came back, and was refused. */
  | "auth.wiped"
  /** By the power of an administrator, where clients ask it of members. */
  | "rooms.read"
  | "approvals.withdraw"
  | "approvals.break_glass"
  | "privacy.consent_given"
  | "privacy.consent_withdrawn"
  | "privacy.own_export"
  | "privacy.own_request"
  /** By whoever holds the shared secret. */
  | "users.create";
