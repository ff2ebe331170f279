import { expect } from "chai";
import { assertPermissionsKnown } from "../../../src/compose-settings.ts";
import { approvalsSchema } from "../../../src/config/approvals-schema.ts";
import { isRequired } from "../../../src/domain/admin/approvals/required.ts";
import {
  factsOf,
  PERMISSIONS,
  type PermissionName,
} from "../../../src/domain/admin/permissions.ts";

const names = Object.keys(PERMISSIONS) as PermissionName[];
const meant = (...required: string[]) =>
  names.filter((name) => isRequired(required, name));

describe("what takes a second person", () => {
  it("is a permission, an area but looking at it, or a class", () => {
    expect(meant("rooms.delete")).to.deep.equal(["rooms.delete"]);
    expect(meant("roles.*")).to.deep.equal(["roles.write", "roles.grant"]);
    const ofClass = (letter: string) =>
      names.filter((name) => factsOf(name).class.includes(letter));
    expect(meant("D")).to.deep.equal(ofClass("D"));
    expect(meant("P")).to.deep.equal(ofClass("P"));
    expect(meant()).to.deep.equal([]);
    expect(isRequired(["settings.*"], "settings.mail.host")).to.equal(true);
    expect(isRequired(["settings.mail"], "settings.mail.host")).to.equal(false);
  });

  it("is by itself what gives power, by roles, policies, and the groups and attributes that both are held against", () => {
    const { default: required } = approvalsSchema.properties.required;
    expect(meant(...required)).to.have.members([
      ...["roles.write", "roles.grant", "groups.write"],
      ...["policies.activate", "holds.release", "backups.restore"],
      "users.impersonate",
    ]);
    expect(factsOf("groups.write").class).to.equal("D");
  });

  it("is never to decide of it, or the decision would wait for one", () => {
    expect(meant("approvals.*", "approvals.decide", "me.*")).to.deep.equal([]);
  });

  it("names nothing that there is not", () => {
    const check = (...required: string[]) => {
      assertPermissionsKnown({
        approvals: {
          ...{ required, whenAlone: "allow", expireHours: 1, useHours: 1 },
          breakGlassMinutes: 1,
        },
      });
    };
    check("D", "P", "roles.*", "rooms.delete", "settings.mail.host");
    for (const wrong of ["d", "X", "rooms", "rooms.dilete", "rols.*", "*", ""])
      expect(() => check("D", wrong), wrong).to.throw(/approvals\.required/);
  });
});
