import type { Context } from '../core/context.ts'

declare module '../core/context.ts' {
  interface CoreFeature {
    /** The mails that the feature sends, by the name of their kind. */
    readonly mails?: Readonly<Record<string, MailKind>>
  }
}

/** The languages in which every kind has texts. */
export type ShippedLanguage = 'en' | 'de'

/**
 * The text of a kind of mail in one language. `{name}` stands for a value of the mail, and `{app}`
 * for the option `appName`. A paragraph with a value that the mail does not have is left out.
 */
export interface MailText {
  /** The subject line. */
  readonly subject: string
  /**
   * The paragraphs. `{link}` as a paragraph of its own is a button, and `{code}` a code in large
   * digits.
   */
  readonly paragraphs: readonly string[]
  /** What the button says. Needed where there is a paragraph `{link}`. */
  readonly button?: string
}

/** A kind of mail. The outbox stores its name, and the server that sends the mail composes it. */
export interface MailKind {
  readonly texts: Readonly<Record<ShippedLanguage, MailText>>
  /** The names of the values that `compose` may return, for the check of `mailTexts`. */
  readonly values: readonly string[]
  /** How many are accepted. Needed where strangers can cause the mail; default no limit. */
  readonly limits?: MailLimits
  /**
   * Makes the values of a mail that is about to be sent, such as a new one-time link. Called again
   * for each attempt. Returns undefined when there is nothing to send any more: the mail is then
   * dropped.
   *
   * @param data what was passed to `enqueueMail`
   * @param recipient the address that was passed to `enqueueMail`
   */
  compose(
    context: Context,
    data: Readonly<Record<string, unknown>>,
    recipient: string,
  ): Promise<ComposedMail | undefined>
}

/** What `compose` returns. */
export interface ComposedMail {
  /** The address. */
  readonly to: string
  /** The language of the recipient, if it is known. Default: the option `mailLanguage`. */
  readonly language?: string | undefined
  /** The values for the text, such as `link` and `code`. They are escaped in HTML. */
  readonly values: Readonly<Record<string, string | undefined>>
}

/** At most `count` in each window of `window` milliseconds. */
interface MailLimit {
  readonly count: number
  readonly window: number
}

/** How many mails are accepted. All kinds with limits of the same name are counted together. */
export interface MailLimits {
  readonly name: string
  /**
   * By address and network. Lower than `perAddress`, so that one network cannot use up the mails of
   * an address.
   */
  readonly perCaller: readonly MailLimit[]
  readonly perAddress: readonly MailLimit[]
  /** By the network of the request (IPv4 /24, IPv6 /64). */
  readonly perNetwork: readonly MailLimit[]
}

const MINUTE = 60_000

/** The limits of mails that anyone can have sent to any address. */
export const LIMITS_FOR_STRANGERS: MailLimits = {
  name: 'stranger',
  perCaller: [
    { count: 3, window: 15 * MINUTE },
    { count: 6, window: 24 * 60 * MINUTE },
  ],
  perAddress: [
    { count: 6, window: 15 * MINUTE },
    { count: 20, window: 24 * 60 * MINUTE },
  ],
  // A class or an office that signs up together.
  perNetwork: [{ count: 200, window: 60 * MINUTE }],
}

/** The limits of mails about what happened to an account. */
export const LIMITS_FOR_NOTICES: MailLimits = {
  name: 'notice',
  perCaller: [],
  perAddress: [
    { count: 5, window: 60 * MINUTE },
    { count: 20, window: 24 * 60 * MINUTE },
  ],
  perNetwork: [],
}

/** Returns the kinds of all features, by name. */
export function mailKinds({ features }: Pick<Context, 'features'>): ReadonlyMap<string, MailKind> {
  return new Map(features.flatMap(({ mails }) => Object.entries(mails ?? {})))
}
