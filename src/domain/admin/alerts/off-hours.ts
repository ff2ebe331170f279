import type { AlertSettings } from "../../../edges.ts";

type OffHours = NonNullable<AlertSettings["offHours"]>;

const WEEKEND = ["Sat", "Sun"];
const clocks = new Map<string, Intl.DateTimeFormat>();

/** Whether nobody works at a time, where the server's people are. */
export function isOffHours(
  { begin, end, isWeekendOff, timeZone }: OffHours,
  ts: number,
): boolean {
  const parts = new Map(
    clockOf(timeZone)
      .formatToParts(ts)
      .map(({ type, value }) => [type, value]),
  );
  const hour = Number(parts.get("hour"));
  const isWork =
    begin <= end ? hour >= begin && hour < end : hour >= begin || hour < end;
  return (
    !isWork || (isWeekendOff && WEEKEND.includes(parts.get("weekday") ?? ""))
  );
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known) return known;
  const clock = new Intl.DateTimeFormat("en-GB", {
    ...{ timeZone, hour: "2-digit", hourCycle: "h23", weekday: "short" },
  });
  clocks.set(timeZone, clock);
  return clock;
}
