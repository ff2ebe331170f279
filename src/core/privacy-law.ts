/** How long there is to answer what a person asks of their data. */
interface Term {
  months?: number;
  days?: number;
}

interface Clock {
  first: Term;
  /** In all, where it was extended; absent where it cannot be. */
  extended?: Term;
}

/** By what it is due; `none` for what a server's own people have agreed on. */
export const PRIVACY_LAWS = ["none", "gdpr", "ccpa", "pipl"] as const;
export type PrivacyLaw = (typeof PRIVACY_LAWS)[number];

const CLOCKS: Readonly<Record<PrivacyLaw, Clock>> = {
  none: { first: { days: 30 } },
  /** https://gdpr-info.eu/art-12-gdpr/ (3): "within one month … extended by two further months". */
  gdpr: { first: { months: 1 }, extended: { months: 3 } },
  /** Cal. Civ. Code § 1798.130 (a)(2): 45 days, "extended once by an additional 45 days". */
  ccpa: { first: { days: 45 }, extended: { days: 90 } },
  /** The law says "timely"; GB/T 35273-2020, 8.7: 30 days. */
  pipl: { first: { days: 30 } },
};

export const isExtendable = (law: PrivacyLaw): boolean =>
  CLOCKS[law].extended !== undefined;

/** When what came at a time is due at the latest. */
export function dueBy(
  law: PrivacyLaw,
  fromTs: number,
  isExtended = false,
): number {
  const { first, extended = first } = CLOCKS[law];
  const { months = 0, days = 0 } = isExtended ? extended : first;
  const due = new Date(fromTs);
  const day = due.getUTCDate();
  due.setUTCMonth(due.getUTCMonth() + months, 1);
  // Where the month has no such day, it ends on its last.
  due.setUTCDate(Math.min(day, lastDayOf(due)));
  due.setUTCDate(due.getUTCDate() + days);
  return due.getTime();
}

const lastDayOf = (date: Date): number =>
  new Date(
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0),
  ).getUTCDate();
