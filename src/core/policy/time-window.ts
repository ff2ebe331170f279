import type { TimeWindow, Weekday } from "./document.ts";

const formats = new Map<string, Intl.DateTimeFormat>();
const MOST_ZONES = 100;
const DAY_MINUTES = 24 * 60;

/** Whether a time lies within a window, by the clock of its zone. */
export function isWithinTime(window: TimeWindow, ts: number): boolean {
  const { days, from = "00:00", to = "24:00" } = window;
  const { day, yesterday, minute } = localTime(window.zone, ts);
  const isOn = (weekday: Weekday) => !days || days.includes(weekday);
  const begin = minutesOf(from);
  const end = minutesOf(to);
  if (begin < end) return isOn(day) && minute >= begin && minute < end;
  // What passes midnight is of the day on which it began.
  return (isOn(day) && minute >= begin) || (isOn(yesterday) && minute < end);
}

/** Whether there is such a time zone. */
export function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

function localTime(zone: string, ts: number) {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(ts)
      .map(({ type, value }) => [type, value]),
  );
  const day = (parts.get("weekday") ?? "").toLowerCase() as Weekday;
  const minute =
    (Number(parts.get("hour")) * 60 + Number(parts.get("minute"))) %
    DAY_MINUTES;
  return { day, minute, yesterday: DAY_BEFORE[day] };
}

const DAY_BEFORE: Readonly<Record<Weekday, Weekday>> = {
  mon: "sun",
  tue: "mon",
  wed: "tue",
  thu: "wed",
  fri: "thu",
  sat: "fri",
  sun: "sat",
};

function minutesOf(text: string): number {
  const [hours = "0", minutes = "0"] = text.split(":");
  return Number(hours) * 60 + Number(minutes);
}

/** Making one takes long, and there are few. */
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    if (formats.size >= MOST_ZONES) formats.clear();
    formats.set(zone, format);
  }
  return format;
}
