/** What people do that policies decide on. */
export const POLICY_ACTIONS = [
  ...["join", "invite", "send", "read"],
  ...["media_download", "call", "admin"],
] as const as readonly PolicyAction[];

export type PolicyAction =
  "join" | "invite" | "send" | "read" | "media_download" | "call" | "admin";

/** What an attribute may hold; one that is not set has no value. */
export type Attribute = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** A value, or an attribute of who acts, of what they act on, or of how they come. */
export type Term =
  | Attribute
  | { readonly user: string }
  | { readonly resource: string }
  | { readonly env: "verified_device" };

export interface TimeWindow {
  /** IANA time zone. */
  readonly zone: string;
  /** All days unless said. */
  readonly days?: readonly Weekday[];
  /** "HH:MM"; a window may pass midnight. */
  readonly from?: string;
  readonly to?: string;
}

export const WEEKDAYS = [
  "mon",
  "tue",
  "wed",
  "thu",
  "fri",
  "sat",
  "sun",
] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly eq: readonly [Term, Term] }
  | { readonly in: readonly [Term, Term] }
  | { readonly gte: readonly [Term, Term] }
  | { readonly cidr: readonly string[] }
  | { readonly time: TimeWindow };

export interface PolicyRule {
  readonly name: string;
  readonly effect: "deny" | "allow";
  readonly actions: readonly PolicyAction[];
  /** Always, unless said. */
  readonly when?: Condition;
}

/** Rules in order: the first that matches an action decides, and what none matches is allowed. */
export interface PolicyDocument {
  readonly description?: string;
  readonly rules: readonly PolicyRule[];
}

/** A document that is in force, or is tried. */
export interface NamedPolicy {
  readonly policyId: string;
  readonly version: number;
  readonly document: PolicyDocument;
}
