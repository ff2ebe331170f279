import type { Sql } from "../../src/storage/database.ts";

/** The same database, counting the statements that are sent; fragments are not. */
export function countStatements(sql: Sql): { sql: Sql; taken(): number } {
  let count = 0;
  const counted = <T extends object>(query: T): T =>
    new Proxy(query, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        const method = value.bind(target) as (...given: unknown[]) => unknown;
        if (name !== "then") return method;
        return (...given: unknown[]) => {
          count += 1;
          return method(...given);
        };
      },
    });
  const proxy = new Proxy(sql, {
    apply(target, self, given: unknown[]) {
      const made: unknown = Reflect.apply(target, self, given);
      return typeof made === "object" && made !== null ? counted(made) : made;
    },
  });
  return {
    sql: proxy,
    taken() {
      const taken = count;
      count = 0;
      return taken;
    },
  };
}
