import { expect } from "chai";
import { addMailAddress } from "../../../src/domain/accounts/third-party-ids.ts";
import { pusherOf, pushersOf, usePushing } from "../../support/pushing.ts";
import { act, makeRoom, must, path, say } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";
import { createMailer } from "../../../src/remote/create-mailer.ts";
import {
  startMailServer,
  type ReceivedMail,
} from "../../support/smtp-server.ts";

const mailServer = await startMailServer();

const mailPusher = (address: string, more: Json = {}): Json => {
  const { data, ...pusher } = pusherOf("", {
    kind: "email",
    app_id: "m.email",
    pushkey: address,
    ...more,
  });
  expect(data).to.deep.equal({ url: "" });
  return { ...pusher, data: {} };
};

/** The parts of a mail, decoded. */
function readMail({ raw }: ReceivedMail): {
  headers: string;
  text: string;
  html: string;
} {
  const [head = "", ...rest] = raw.split("\r\n\r\n");
  const body = rest.join("\r\n\r\n");
  const boundary = /boundary="([^"]+)"/.exec(head)?.[1] ?? "?";
  const parts = body.split(`--${boundary}`).map((part) => {
    const [partHead = "", ...lines] = part.split("\r\n\r\n");
    const encoded = lines.join("\r\n\r\n");
    return { head: partHead, text: decode(partHead, encoded) };
  });
  const find = (type: string) =>
    parts.find(({ head: partHead }) => partHead.includes(type))?.text ?? "";
  return {
    headers: head.replaceAll(/\r\n[ \t]+/g, " "),
    text: find("text/plain"),
    html: find("text/html"),
  };
}

function decode(head: string, text: string): string {
  if (/base64/i.test(head)) return Buffer.from(text, "base64").toString();
  if (!/quoted-printable/i.test(head)) return text;
  const bytes = text
    .replaceAll("=\r\n", "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    );
  return Buffer.from(bytes, "latin1").toString();
}

describe("mails about what is unread", () => {
  after("stop the mail server", () => mailServer.stop());
  const { server } = usePushing({
    "email.host": "127.0.0.1",
    "email.port": mailServer.port,
    "email.security": "none",
    "email.username": "matrix",
    "email.password": "mail secret",
    "email.from": "Matrix <matrix@test>",
    "email.delay_seconds": 0,
    "email.show_messages": true,
  });
  let people = 0;

  async function reader(more: Json = {}) {
    const n = (people += 1);
    const alice = await server.user(`alice${n}`);
    const bob = await server.user(`bob${n}`);
    const address = `bob${n}@example.org`;
    await addMailAddress(server.edges, bob.userId, address);
    const roomId = await makeRoom(alice, {
      preset: "public_chat",
      name: `Room <b>${n}</b>`,
    });
    await act(bob, roomId, "join");
    must(await bob.post("/pushers/set", mailPusher(address, more)));
    return { n, alice, bob, address, roomId };
  }

  const rename = async (user: TestUser, displayname: string) => {
    const target = path`/profile/${user.userId}/displayname`;
    must(await user.put(target, { displayname }));
  };

  it("CVE-2021-21333: hold names and messages as text, whatever they look like", async () => {
    const { n, alice, address, roomId } = await reader();
    await rename(alice, '<img src=x onerror="alert(1)">');
    await say(alice, roomId, "<script>alert(1)</script> & more");
    const mail = await mailServer.next();
    expect(mail).to.include({ from: "matrix@test" });
    expect(mail.to).to.deep.equal([address]);
    const { headers, html, text } = readMail(mail);
    expect(html).to.not.match(/<(?:script|img|b>\d)/);
    expect(html).to.include(`Room &#60;b&#62;${n}`);
    expect(html).to.include("&#60;script&#62;alert(1)");
    expect(html).to.include("&#60;img src=x onerror=&#34;");
    expect(text).to.include("<script>alert(1)</script> & more");
    expect(headers).to.match(/^Subject: A new message in Room/m);
    expect(headers).to.match(/^List-Unsubscribe: <https:\/\/test\/_myelin\//m);
    expect(headers).to.include("List-Unsubscribe=One-Click");
    expect(headers).to.match(/^Auto-Submitted: auto-generated/m);
  });

  it("CVE-2021-21333: add no header and no line to themselves, whatever a name holds", async () => {
    const { alice, roomId } = await reader();
    must(
      await alice.put(path`/rooms/${roomId}/state/m.room.name/${""}`, {
        name: "Room\r\nBcc: all@example.org\r\n\r\nhello",
      }),
    );
    await say(alice, roomId, "hello");
    const { headers } = readMail(await mailServer.next());
    expect(headers).to.not.match(/^Bcc/im);
    expect(headers).to.match(/^Subject: .*Room Bcc: all@example.org hello/m);
  });

  it("come in the language of the pusher", async () => {
    const { alice, roomId } = await reader({ lang: "zh-CN" });
    await say(alice, roomId, "你好");
    const { html, text } = readMail(await mailServer.next());
    expect(html).to.include('lang="zh"');
    expect(text).to.include("未读消息").and.include("你好");
  });

  it("are sent again where the mail server would not take them, without what was read meanwhile", async () => {
    const { alice, bob, roomId } = await reader();
    mailServer.isRefusing = true;
    const first = await say(alice, roomId, "read meanwhile");
    must(await bob.post(path`/rooms/${roomId}/receipt/m.read/${first}`, {}));
    await say(alice, roomId, "still unread");
    mailServer.isRefusing = false;
    const { text } = readMail(await mailServer.next());
    expect(text).to.include("still unread");
  });

  it("end with one request to the link that they hold, and not by looking at it", async () => {
    const { alice, bob, roomId } = await reader();
    await say(alice, roomId, "hello");
    const { headers } = readMail(await mailServer.next());
    const url = /List-Unsubscribe: <https:\/\/test([^>]+)>/.exec(headers)?.[1];
    const looked = await server.get(url!);
    expect(looked.status).to.equal(200);
    expect(looked.headers["content-type"]).to.match(/^text\/html/);
    expect(looked.headers["content-security-policy"]).to.include(
      "default-src 'none'",
    );
    expect(await pushersOf(bob)).to.have.length(1);
    const forged = url!.replace(/token=\d+/, "token=1");
    expect((await server.post(forged)).status).to.equal(404);
    expect((await server.post(url!)).status).to.equal(200);
    expect(await pushersOf(bob)).to.deep.equal([]);
    expect((await server.post(url!)).status).to.equal(200);
  });

  it("go to addresses alone that an administrator gave the user", async () => {
    const { address } = await reader();
    const mallory = await server.user("mallory");
    for (const pushkey of [address, "victim@example.org", "x"]) {
      const answer = await mallory.post("/pushers/set", mailPusher(pushkey));
      expect(answer.status).to.equal(400);
      expect(answer.body["errcode"]).to.equal("M_THREEPID_NOT_FOUND");
    }
    for (const wrong of ["x", "a@b\r\nBcc: c@d", "a b@c", "a@b,c@d", "<a@b>"])
      await addMailAddress(server.edges, mallory.userId, wrong).then(
        () => expect.fail(wrong),
        (error: unknown) => {
          expect(error).to.have.property("errcode", "M_INVALID_PARAM");
        },
      );
  });
});

describe("mails that wait", () => {
  const quick = usePushing({
    "email.host": "127.0.0.1",
    "email.port": 1,
    "email.from": "matrix@test",
    "email.delay_seconds": 3600,
  });

  it("are offered by clients for the addresses of the account, and no others", async () => {
    const { server } = quick;
    const carol = await server.user("carol");
    const dave = await server.user("dave");
    const addresses = ["carol@example.org", "Carol.Work@example.org"];
    for (const address of addresses)
      await addMailAddress(server.edges, carol.userId, address);
    const { threepids } = must<{ threepids: Json[] }>(
      await carol.get("/account/3pid"),
    );
    expect(threepids.map(({ address }) => address)).to.have.members(addresses);
    for (const { medium, validated_at: at, added_at: added } of threepids)
      expect({ medium, added }).to.deep.equal({ medium: "email", added: at });
    for (const address of addresses)
      must(await carol.post("/pushers/set", mailPusher(address)));
    expect((await dave.get("/account/3pid")).body).to.deep.equal({
      threepids: [],
    });
  });

  it("are not sent before something was unread for so long", async () => {
    const { server, openGateway } = quick;
    const gateway = openGateway();
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    await addMailAddress(server.edges, bob.userId, "bob@example.org");
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    await act(bob, roomId, "join");
    must(await bob.post("/pushers/set", mailPusher("BOB@example.org")));
    must(await bob.post("/pushers/set", pusherOf(gateway.url)));
    await say(alice, roomId, "hello");
    await gateway.next();
    const eventId = await say(alice, roomId, "again");
    expect((await gateway.next())["event_id"]).to.equal(eventId);
    const rows = await server.database.sql`
      select from push_queue join pushers using (pusher_id) where kind = 'email'`;
    expect(rows.length).to.equal(2);
    const [state] = await server.database.sql<{ failures: number }[]>`
      select failures from pusher_states join pushers using (pusher_id) where kind = 'email'`;
    expect(state!.failures).to.equal(0);
  });
});

describe("a mail server that is not what it says", () => {
  const imposters: { stop(): Promise<void> }[] = [];
  after(() => Promise.all(imposters.map((server) => server.stop())));

  it("row 77 CVE-2023-38686: gets no mail without a certificate of its name, nor in plain text where TLS was asked for", async () => {
    for (const hasTls of [true, false]) {
      const imposter = await startMailServer({ hasTls });
      imposters.push(imposter);
      const mailer = createMailer({
        host: "127.0.0.1",
        port: imposter.port,
        security: "starttls",
        from: "matrix@test",
      });
      const mail = {
        to: "alice@example.org",
        subject: "s",
        text: "t",
        html: "h",
        unsubscribeUrl: "https://test/",
      };
      await mailer.send(mail).then(
        () => expect.fail("it was sent"),
        (error: unknown) => expect(error).to.be.instanceOf(Error),
      );
      mailer.close();
      expect(imposter.mails).to.deep.equal([]);
    }
  });
});

describe("a server without a mail server", () => {
  const server = useServer();

  it("takes no pusher that mails", async () => {
    const alice = await server.user("alice");
    await addMailAddress(server.edges, alice.userId, "alice@example.org");
    const answer = await alice.post(
      "/pushers/set",
      mailPusher("alice@example.org"),
    );
    expect(answer.body["errcode"]).to.equal("M_THREEPID_NOT_FOUND");
  });
});
