import { expect } from "chai";
import { assertResponse, findOperations } from "./response-schema.ts";

describe("assertResponse", () => {
  it("refuses an answer that lacks what the specification requires", () => {
    const path = "/_matrix/client/v3/joined_rooms";
    assertResponse("GET", path, 200, { joined_rooms: ["!a:b"] });
    expect(() => assertResponse("GET", path, 200, {})).to.throw("joined_rooms");
  });

  it("refuses an error that is no standard error", () => {
    const path = "/_matrix/client/v3/joined_rooms";
    assertResponse("GET", path, 404, { errcode: "M_NOT_FOUND", error: "No." });
    expect(() => assertResponse("GET", path, 404, { error: "No." })).to.throw();
  });

  it("takes r0 for v3, and a static segment before a parameter", () => {
    const [old] = findOperations("GET", "/_matrix/client/r0/joined_rooms?x=y");
    expect(old?.operationId).to.equal("getJoinedRooms");
    const [all] = findOperations("POST", "/_matrix/client/v3/logout/all");
    expect(all?.operationId).to.equal("logout_all");
  });
});
