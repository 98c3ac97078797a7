import { describeValue } from '@sealwax/jwt/internal'
import type { Context } from '../core/context.ts'
import { invalidOption as invalid } from '../core/options.ts'
import { type MailText, mailKinds, type ShippedLanguage } from './kinds.ts'

/** Texts by language (`en`, `de`, `pt-br`) and kind of mail. */
export type MailTexts = Readonly<Record<string, Readonly<Record<string, MailText>>>>

const OPTION = 'mailTexts'
const SHAPE =
  'be an object of languages, with the texts of each kind of mail: { en: { kind: { subject, paragraphs } } }'

/** Checks the form of the option `mailTexts`. `requireKnownTexts` checks the rest. */
export function checkTexts(value: unknown): MailTexts {
  for (const [language, kinds] of members(value, SHAPE)) {
    if (!/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/.test(language)) {
      throw invalid(
        OPTION,
        "have languages such as 'fr' or 'pt-br' as its members",
        JSON.stringify(language.slice(0, 64)),
      )
    }
    for (const [kind, text] of members(kinds, SHAPE)) checkText(`${language}.${kind.slice(0, 64)}`, text)
  }
  return value as MailTexts
}

function members(value: unknown, allowed: string): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  throw invalid(OPTION, allowed, describeValue(value))
}

function checkText(place: string, value: unknown): void {
  const text = Object.fromEntries(members(value, SHAPE))
  const unknown = Object.keys(text).find((name) => !['subject', 'paragraphs', 'button'].includes(name))
  if (unknown !== undefined) {
    throw invalid(`${OPTION}.${place}`, 'have subject, paragraphs and button', JSON.stringify(unknown.slice(0, 64)))
  }
  const { subject, paragraphs, button } = text
  if (typeof subject !== 'string' || /\p{Cc}/u.test(subject) || subject.trim() === '') {
    throw invalid(`${OPTION}.${place}.subject`, 'be a string without line breaks', describeValue(subject))
  }
  if (!Array.isArray(paragraphs) || paragraphs.length === 0 || paragraphs.some((one) => typeof one !== 'string')) {
    throw invalid(`${OPTION}.${place}.paragraphs`, 'be a list of strings', describeValue(paragraphs))
  }
  const hasLink = paragraphs.some((one: string) => one.trim() === '{link}')
  if (button !== undefined ? typeof button !== 'string' : hasLink) {
    throw invalid(`${OPTION}.${place}.button`, 'be what the button for {link} says', describeValue(button))
  }
}

/**
 * Checks that `mailTexts` has texts only for mails that are sent, and values that these have.
 *
 * @throws {AuthError} `config_invalid`
 */
export function requireKnownTexts(context: Pick<Context, 'config' | 'features'>): void {
  const kinds = mailKinds(context)
  for (const [language, texts] of Object.entries(context.config.mailTexts)) {
    for (const [name, text] of Object.entries(texts)) {
      const kind = kinds.get(name)
      if (kind === undefined) {
        throw invalid(
          `${OPTION}.${language}`,
          `have members among ${[...kinds.keys()].join(', ')}`,
          JSON.stringify(name),
        )
      }
      const place = `${OPTION}.${language}.${name}`
      const allowed = [...kind.values, 'app']
      const used = valuesIn(text)
      const unknown = used.find((value) => !allowed.includes(value))
      if (unknown !== undefined) throw invalid(place, `use values among ${allowed.join(', ')}`, `{${unknown}}`)
      const needed = kind.values.filter((value) => value === 'link' || value === 'code')
      if (needed.length > 0 && !needed.some((value) => used.includes(value))) {
        throw invalid(place, `contain {${needed.join('} or {')}}`, 'a text without it')
      }
    }
  }
}

function valuesIn({ subject, paragraphs, button = '' }: MailText): string[] {
  return [...[subject, ...paragraphs, button].join(' ').matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
}

/** Returns the text of a kind in the best available of some languages, and that language. */
export function findText(
  { config, features }: Pick<Context, 'config' | 'features'>,
  name: string,
  language: string | undefined,
): { text: MailText; language: string } | undefined {
  const shipped = mailKinds({ features }).get(name)?.texts
  if (shipped === undefined) return undefined
  for (const wanted of [language?.toLowerCase(), config.mailLanguage, 'en']) {
    for (const one of wanted === undefined ? [] : [wanted, wanted.split('-')[0] as string]) {
      const own = Object.hasOwn(config.mailTexts, one) ? config.mailTexts[one] : undefined
      if (own !== undefined && Object.hasOwn(own, name)) return { text: own[name] as MailText, language: one }
      if (Object.hasOwn(shipped, one)) return { text: shipped[one as ShippedLanguage], language: one }
    }
  }
  return undefined
}
