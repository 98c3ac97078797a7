import { describeValue, isLoopback } from '@sealwax/jwt/internal'
import { checkUrl } from '../core/core-options.ts'
import { type AuthOptions, invalidOption as invalid, type OptionRules, text } from '../core/options.ts'
import { publicBase } from '../core/origins.ts'
import { type Mailbox, parseMailbox } from './address.ts'
import { checkTexts, type MailTexts } from './mail-texts.ts'
import { parseSmtpUrl, SMTP_SPELLING, type SmtpServer } from './smtp-url.ts'

declare module '../core/options.ts' {
  interface AuthOptions {
    /** Sends mails in your own way instead of over `smtpUrl`. A rejected promise is retried. */
    readonly mail?: SendMail
    /** The SMTP server: `smtps://user:password@host` or `smtp://user:password@host:587`. */
    readonly smtpUrl?: string
    /** The sender: `Name <address>` or an address. Default: `no-reply@` the issuer's host. */
    readonly mailFrom?: string
    /** The language of mails to recipients whose language is not known. Default 'en'. */
    readonly mailLanguage?: string
    /** Texts that replace those of Sealwax, by language and kind of mail. */
    readonly mailTexts?: MailTexts
    /** The name of the application in mails. Default: the issuer's host. */
    readonly appName?: string
    /** The base of the links in mails. Default: the public URL of the routes. */
    readonly publicUrl?: string
  }
  interface Config {
    readonly smtpUrl?: SmtpServer
    readonly mailFrom: Mailbox
    readonly mailLanguage: string
    readonly mailTexts: MailTexts
    readonly appName: string
    /** Without a slash at the end. */
    readonly publicUrl: string
  }
}

declare module '../core/context.ts' {
  interface Context {
    /** The option `mail`. */
    readonly mail: SendMail | undefined
  }
}

/** A mail that is ready to be sent. */
export interface MailMessage {
  /** The address of the recipient. */
  readonly to: string
  /** The sender: `"Name" <address>` or an address. */
  readonly from: string
  /** The subject, without line breaks. */
  readonly subject: string
  /** The plain text. */
  readonly text: string
  /** The same as an HTML document. */
  readonly html: string
  /** Further header fields, such as `Message-ID`, which all attempts have in common. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Sends a mail. An error is retried for a day, unless it has `permanent: true`: then the mail is
 * given up at once.
 */
export type SendMail = (message: MailMessage) => Promise<unknown>

export const mailOptions: OptionRules = {
  mail: { check: checkMail },
  smtpUrl: { check: checkSmtpUrl, parse: text },
  mailFrom: {
    check: checkFrom,
    parse: text,
    fallback: ({ issuer }: AuthOptions) => `no-reply@${mailHost(issuer)}`,
  },
  mailTexts: { check: checkTexts, fallback: {} },
  mailLanguage: { check: checkLanguage, parse: text, fallback: 'en' },
  appName: { check: checkAppName, parse: text, fallback: ({ issuer }: AuthOptions) => new URL(issuer).host },
  publicUrl: {
    check: (value) => checkUrl('publicUrl', value).replace(/\/$/, ''),
    parse: text,
    fallback: ({ issuer, basePath = '' }: AuthOptions) => publicBase({ issuer, basePath }),
  },
}

function checkMail(value: unknown, given: AuthOptions): unknown {
  if (typeof value !== 'function') throw invalid('mail', 'be a function', describeValue(value))
  if (given.smtpUrl !== undefined) throw invalid('mail', 'be left out when smtpUrl is given', 'both')
  return value
}

/** The string is not repeated in the message: it contains a password. */
function checkSmtpUrl(value: unknown): SmtpServer {
  if (typeof value !== 'string') throw invalid('smtpUrl', SMTP_SPELLING, describeValue(value))
  const parsed = parseSmtpUrl(value)
  if (typeof parsed === 'string') throw invalid('smtpUrl', SMTP_SPELLING, parsed)
  return parsed
}

function checkFrom(value: unknown): Mailbox {
  const mailbox = typeof value === 'string' ? parseMailbox(value) : undefined
  if (mailbox !== undefined) return mailbox
  const got = typeof value === 'string' ? 'another string' : describeValue(value)
  throw invalid('mailFrom', "be an address such as 'no-reply@example.com' or 'Name <no-reply@example.com>'", got)
}

function checkLanguage(value: unknown, given: AuthOptions): string {
  const known = [...new Set(['en', 'de', ...Object.keys(given.mailTexts ?? {})])]
  if (typeof value === 'string' && known.includes(value)) return value
  const got = typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : describeValue(value)
  throw invalid('mailLanguage', `be one of ${known.join(', ')}, or another one that mailTexts contains`, got)
}

function checkAppName(value: unknown): string {
  if (typeof value === 'string' && /^[^\p{C}<>"\\]{1,64}$/u.test(value) && value.trim() === value) return value
  throw invalid('appName', 'be 1 to 64 characters, without < > " \\ and line breaks', describeValue(value))
}

/** An IP address is no domain that could have a mailbox. */
function mailHost(issuer: string): string {
  const { hostname } = new URL(issuer)
  return isLoopback(hostname) || /^[\d.]+$|^\[/.test(hostname) ? 'localhost' : hostname
}
