/** What is looked for in the audit log and in what is fetched. */
export const DETECTORS = [
  "password_spray",
  "privileged_reads",
  "mass_download",
  "new_place",
  "off_hours",
  "new_administrator",
  "broken_glass",
  "incident_clock",
] as const;

export type Detector = (typeof DETECTORS)[number];
