import type { MailText } from './kinds.ts'

/** A mail as text. */
export interface Rendered {
  readonly subject: string
  readonly text: string
  readonly html: string
}

type Values = Readonly<Record<string, string | undefined>>

/** A part of the body. */
interface Block {
  readonly type: 'text' | 'code' | 'link'
  readonly text: string
  /** Only of a link. */
  readonly url: string
}

/** Fills in a text, as plain text and as HTML. */
export function render(text: MailText, language: string, given: Values, appName: string): Rendered {
  const values = { ...readable(given), app: appName }
  const subject = (fill(text.subject, values) ?? appName).slice(0, 200)
  const blocks = text.paragraphs.flatMap((paragraph) => toBlock(paragraph, text.button, values) ?? [])
  return {
    subject,
    text: `${blocks.map(toPlain).join('\n\n')}\n\n-- \n${appName}\n`,
    html: page(language, subject, blocks.map(toHtml).join('\n'), appName),
  }
}

/** Longer values, such as user agents, are cut. A link is never cut. */
const LONGEST = 200

/** Something that mail programs would turn into a link. */
const LOOKS_LIKE_LINK = /:\/\/|\bwww\.|[^\s.]\.[a-z]{2,}(\/|\b)/i

/**
 * Removes line breaks, and names that are links: somebody could register with the address of a
 * victim and use our mail to send it an advertisement.
 */
function readable(given: Values): Values {
  const entries = Object.entries(given).flatMap(([name, value]) => {
    if (value === undefined) return []
    if (name === 'link') return [[name, value]]
    const clean = value
      .replace(/[\p{C}\s]+/gu, ' ')
      .trim()
      .slice(0, LONGEST)
    if (clean === '' || (name === 'name' && LOOKS_LIKE_LINK.test(clean))) return []
    return [[name, clean]]
  })
  return Object.fromEntries(entries)
}

/** Returns undefined if the text names a value that is missing. */
function fill(text: string, values: Values): string | undefined {
  let complete = true
  const filled = text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) complete = false
    return value ?? ''
  })
  return complete ? filled : undefined
}

function toBlock(paragraph: string, button: string | undefined, values: Values): Block | undefined {
  const filled = fill(paragraph, values)
  if (filled === undefined) return undefined
  const alone = paragraph.trim()
  if (alone === '{link}') return { type: 'link', url: filled.trim(), text: fill(button ?? '', values) || filled.trim() }
  return { type: alone === '{code}' ? 'code' : 'text', text: filled, url: '' }
}

function toPlain(block: Block): string {
  if (block.type === 'link') return block.url
  return block.type === 'code' ? `    ${block.text}` : block.text
}

const CODE = 'font:700 28px/1.3 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.2em'
const BUTTON =
  'display:inline-block;padding:12px 20px;border-radius:6px;background:#1a4fd0;color:#fff;text-decoration:none;font-weight:600'

function toHtml(block: Block): string {
  const text = escapeHtml(block.text)
  if (block.type === 'text') return `<p>${text}</p>`
  if (block.type === 'code') return `<p style="${CODE}">${text}</p>`
  const url = escapeHtml(block.url)
  // The address is also shown: some mail programs hide or break buttons.
  return `<p><a href="${url}" style="${BUTTON}">${text}</a></p>\n<p style="font-size:13px;word-break:break-all"><a href="${url}">${url}</a></p>`
}

function page(language: string, subject: string, body: string, appName: string): string {
  return `<!doctype html>
<html lang="${escapeHtml(language)}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(subject)}</title></head>
<body style="margin:0;padding:24px;background:#fff;color:#1c1c1c;font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif">
<div style="max-width:560px;margin:0 auto">
${body}
<p style="color:#666;font-size:13px">${escapeHtml(appName)}</p>
</div>
</body>
</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string)
}
