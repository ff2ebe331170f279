import { expect } from "chai";
import { endpoint } from "../../src/http/endpoint.ts";
import { idParam } from "../../src/http/params.ts";
import { useApp } from "./use-app.ts";

type Name = string & { readonly brand: "name" };
const isName = (text: string): text is Name => text.startsWith("@");

describe("idParam", () => {
  const app = useApp({
    endpoints: [
      endpoint<{ params: { name: Name; key: string } }>({
        method: "get",
        path: "/names/:name/:key",
        also: ["/names/:name", "/names/:name/"],
        auth: "none",
        params: { name: idParam(isName, "a name") },
        handle: async (_edges, { params }) => params,
      }),
    ],
  });

  it("passes an identifier on", async () => {
    const { json } = await app.ask("GET", "/names/%40a/k");
    expect(json).to.deep.equal({ name: "@a", key: "k" });
  });

  it("answers 400 M_INVALID_PARAM to what is none", async () => {
    const { status, json } = await app.ask("GET", "/names/a/k");
    expect(status).to.equal(400);
    expect(json).to.deep.equal({
      errcode: "M_INVALID_PARAM",
      error: "The path must name a name.",
    });
  });

  it("gives the empty string for a parameter that a further path lacks", async () => {
    for (const path of ["/names/@a", "/names/@a/"]) {
      const { json } = await app.ask("GET", path);
      expect(json).to.deep.equal({ name: "@a", key: "" });
    }
  });
});
