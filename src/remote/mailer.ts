export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
  /** Where one request ends such mails (RFC 8058). */
  unsubscribeUrl: string;
}

/** Hands mails to the company's mail server. */
export interface Mailer {
  /** Resolves when the mail server has taken it. */
  send(mail: Mail): Promise<void>;
}
