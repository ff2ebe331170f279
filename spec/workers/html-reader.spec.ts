import { expect } from "chai";
import {
  createHtmlReader,
  type HtmlReader,
} from "../../src/workers/html-reader.ts";

const page = (html: string) => ({
  bytes: Buffer.from(html),
  contentType: "text/html",
});

describe("pages read in threads", () => {
  const readers: HtmlReader[] = [];
  const reader = (deadlineMs?: number): HtmlReader => {
    const made = createHtmlReader(deadlineMs);
    readers.push(made);
    return made;
  };
  after("let go of the threads", () =>
    Promise.all(readers.map((each) => each.close())),
  );

  const rejects = async (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => "was read",
      (error: Error) => error.message,
    );

  it("are as many as are asked for", async () => {
    const many = reader();
    const titles = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const facts = await many.read(page(`<title>${n}</title>`));
        return facts.title;
      }),
    );
    expect(titles).to.deep.equal(titles.map((_, n) => String(n)));
  });

  it("row 73: are given up in time, and others are read after", async () => {
    // A thread takes longer to start.
    const hasty = reader(0);
    const failed = await rejects(hasty.read(page("<title>late</title>")));
    expect(failed).to.equal("A page could not be read to its end.");
    const patient = reader();
    const { title } = await patient.read(page("<title>next</title>"));
    expect(title).to.equal("next");
  });

  it("row 73: are refused where a hundred wait", async () => {
    const busy = reader();
    const asked = Array.from({ length: 110 }, () =>
      rejects(busy.read(page("<p>".repeat(1000)))),
    );
    const refused = (await Promise.all(asked)).filter((said) =>
      said.startsWith("Too many"),
    );
    expect(refused.length).to.be.within(1, 8);
  });

  it("are not read any more once it is closed", async () => {
    const closed = reader();
    await closed.read(page(""));
    await closed.close();
    expect(await rejects(closed.read(page("")))).to.equal(
      "The server is stopping.",
    );
  });
});
