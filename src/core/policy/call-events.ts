/** Beside `m.call.…`: who is in a call (MatrixRTC), and that others are rung. */
const CALL_TYPES = new Set([
  "org.matrix.msc3401.call",
  "org.matrix.msc3401.call.member",
  "org.matrix.msc4143.rtc.member",
  "org.matrix.msc4143.rtc.slot",
  "org.matrix.msc4075.rtc.notification",
  "org.matrix.msc4075.call.notify",
  "m.rtc.member",
  "m.rtc.slot",
  "m.rtc.notification",
]);

/** Whether an event begins a call, or takes part in one. */
export const isCallEvent = (type: string): boolean =>
  type.startsWith("m.call.") || CALL_TYPES.has(type);
