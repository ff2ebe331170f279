/**
 * The same object with other parts. What else it has is asked of it when it is used, so
 * this does for one that is a view, and makes its parts when they are asked for.
 */
export const derive = <T extends object, P extends Partial<T>>(
  from: T,
  parts: P,
): T & P =>
  Object.create(from, Object.getOwnPropertyDescriptors(parts)) as T & P;
