import { expect } from "chai";
import { isOffHours } from "../../../../src/domain/admin/alerts/off-hours.ts";

describe("off hours", () => {
  const office = {
    ...{ begin: 7, end: 20, isWeekendOff: true, timeZone: "Europe/Berlin" },
  };
  const at = (text: string) => Date.parse(text);

  it("are those of the place, summer and winter", () => {
    // A Wednesday: 05:30 UTC is 07:30 in summer, and 06:30 in winter.
    expect(isOffHours(office, at("2026-07-01T05:30:00Z"))).to.equal(false);
    expect(isOffHours(office, at("2026-12-02T05:30:00Z"))).to.equal(true);
    expect(isOffHours(office, at("2026-07-01T17:59:00Z"))).to.equal(false);
    expect(isOffHours(office, at("2026-07-01T18:00:00Z"))).to.equal(true);
  });

  it("are the weekend's too, unless people work then", () => {
    const saturday = at("2026-07-04T10:00:00Z");
    expect(isOffHours(office, saturday)).to.equal(true);
    const open = { ...office, isWeekendOff: false };
    expect(isOffHours(open, saturday)).to.equal(false);
  });

  it("may have midnight in the midst of work", () => {
    const night = { ...office, begin: 22, end: 6, timeZone: "UTC" };
    expect(isOffHours(night, at("2026-07-01T23:00:00Z"))).to.equal(false);
    expect(isOffHours(night, at("2026-07-01T05:00:00Z"))).to.equal(false);
    expect(isOffHours(night, at("2026-07-01T12:00:00Z"))).to.equal(true);
  });
});
