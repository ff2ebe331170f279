/** What mails and their pages say, in one language. */
export interface MailTexts {
  lang: string;
  subject(count: number, place: string): string;
  greeting(serverName: string): string;
  /** Of a room without a name. */
  direct: string;
  messages(count: number): string;
  open: string;
  unsubscribe: string;
}

const english: MailTexts = {
  lang: "en",
  subject: (count, place) =>
    count === 1
      ? `A new message in ${place}`
      : `${count} new messages in ${place}`,
  greeting: (serverName) => `You have not read this on ${serverName} yet:`,
  direct: "a conversation",
  messages: (count) => (count === 1 ? "1 message" : `${count} messages`),
  open: "Open your client to read and answer.",
  unsubscribe: "Send me no more of these mails",
};

const chinese: MailTexts = {
  lang: "zh",
  subject: (count, place) => `${place} 中有 ${count} 条新消息`,
  greeting: (serverName) => `您在 ${serverName} 上有以下未读消息：`,
  direct: "一个会话",
  messages: (count) => `${count} 条消息`,
  open: "请打开您的客户端阅读并回复。",
  unsubscribe: "不再接收此类邮件",
};

/** In the language of a pusher, such as `zh-CN`; in English where we have none of it. */
export const textsOf = (lang: string): MailTexts =>
  /^zh\b/i.test(lang) ? chinese : english;
