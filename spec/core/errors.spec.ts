import { expect } from "chai";
import { MatrixError, withoutStack } from "../../src/core/errors.ts";

describe("withoutStack", () => {
  it("makes an error without asking where, and only that one", () => {
    const make = () => new MatrixError("M_LIMIT_EXCEEDED", "Slow.", { a: 1 });
    const error = withoutStack(make);
    expect(error.stack).to.not.match(/\n\s+at /);
    expect(error).to.include({ errcode: "M_LIMIT_EXCEEDED", message: "Slow." });
    expect(make().stack).to.match(/\n\s+at /);
    const broken = (): Error => {
      throw new TypeError("broken");
    };
    expect(() => withoutStack(broken)).to.throw(TypeError);
    expect(make().stack).to.match(/\n\s+at /);
  });
});
