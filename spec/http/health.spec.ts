import { expect } from "chai";
import { createHealthRoutes } from "../../src/http/health.ts";
import { useApp } from "./use-app.ts";

describe("/health/ready", () => {
  let asked = 0;
  let answer: (isReady: boolean) => void = () => undefined;
  const app = useApp({
    pages: [
      createHealthRoutes(() => {
        asked += 1;
        return new Promise((resolve) => {
          answer = resolve;
        });
      }, 1),
    ],
    endpoints: [],
  });

  it("says no while the database gives no answer, which it asks but once", async () => {
    for (let times = 0; times < 3; times += 1) {
      expect((await app.ask("GET", "/health/ready")).status).to.equal(503);
    }
    expect(asked).to.equal(1);
    answer(true);
    await app.ask("GET", "/health/ready");
    expect(asked).to.equal(2);
  });
});
