import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthOptions } from '../../src/core/options.ts'
import { mailKinds } from '../../src/mail/kinds.ts'
import type { MailMessage } from '../../src/mail/options.ts'
import { render } from '../../src/mail/template.ts'
import { requireMail } from '../../src/mail/transport.ts'
import { openMailbox } from '../mailbox.ts'
import { STORES } from '../stores.ts'
import { LINK, startNotes, until } from './sending.ts'

const ANN = 'ann@example.com'
const openStore = STORES.sqlite as NonNullable<typeof STORES.sqlite>

/** Starts a server whose mails are collected in a list. */
async function collect(options: Partial<AuthOptions> = {}) {
  const opened = await openStore()
  const sent: MailMessage[] = []
  const server = await startNotes(opened.store, { mail: async (message) => sent.push(message), ...options })
  return {
    server,
    async mail(data: Record<string, string>) {
      const before = sent.length
      await server.send({ data })
      await until(() => sent.length > before)
      return sent.at(-1) as MailMessage
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await opened[Symbol.asyncDispose]()
    },
  }
}

test('mail: the function `mail` gets complete messages', async () => {
  await using own = await collect({ mailFrom: 'Example <post@example.com>', appName: 'Example' })
  const { headers, html, ...message } = await own.mail({ name: 'Ann', link: LINK })
  assert.deepEqual(message, {
    to: ANN,
    from: '"Example" <post@example.com>',
    subject: 'A note for Ann',
    text: `Hello Ann,\n\nsomebody wrote a note at Example.\n\n${LINK}\n\n-- \nExample\n`,
  })
  assert.match(html, /<a href="https:\/\/app\.example\.com\/notes\?token=kZ4w&amp;x=1"[^>]*>Read it<\/a>/)
  assert.deepEqual(Object.keys(headers), ['Message-ID', 'Auto-Submitted', 'Content-Language'])
})

test('mail: an error of the function `mail` is tried again, and one with `permanent: true` is not', async () => {
  const errors = [new Error('away'), Object.assign(new Error('gone'), { permanent: true })]
  await using own = await collect({ mail: () => Promise.reject(errors.shift()) })
  await own.server.send({})
  await until(() => own.server.told('mail not sent yet') === 1)
  own.server.clock.advance(10_000)
  await until(() => own.server.events.length > 0)
  assert.deepEqual(own.server.events[0]?.data, { kind: 'note.added', attempts: 2, reason: 'refused' })
})

test('mail: the language of the recipient, then mailLanguage, then English', async () => {
  const fr = { 'note.added': { subject: 'Une note', paragraphs: ['Bonjour', '{link}'], button: 'Lire' } }
  await using own = await collect({ mailLanguage: 'de', mailTexts: { fr } })
  const of = async (language: string) => (await own.mail({ language, link: LINK, name: 'Ann' })).headers
  const languages = ['en', 'EN-gb', 'fr', 'fr-CA', 'de-AT', 'es', 'constructor']
  const shown: unknown[] = []
  for (const language of languages) shown.push((await of(language))['Content-Language'])
  assert.deepEqual(shown, ['en', 'en', 'fr', 'fr', 'de', 'de', 'de'])
  const german = await own.mail({ name: 'Ann' })
  assert.equal(german.subject, 'Eine Notiz')
  assert.match(german.html, /<html lang="de">/)
  assert.equal((await own.mail({ language: 'fr', link: LINK })).text.split('\n')[0], 'Bonjour')
})

test('mail: mailTexts replaces one text and leaves the others', async () => {
  const en = { 'note.added': { subject: 'Hi {name}', paragraphs: ['Your code at {app} is:', '{code}'] } }
  await using own = await collect({ mailTexts: { en } })
  const { subject, text, html } = await own.mail({ name: 'Ann', code: '123456', link: LINK })
  assert.deepEqual([subject, text.includes('    123456'), html.includes('href')], ['Hi Ann', true, false])
  const german = await own.mail({ language: 'de', name: 'Ann' })
  assert.equal(german.subject, 'Eine Notiz')
})

test('mail: texts for unknown mails, or with unknown or missing values, are refused at the start', async () => {
  await using opened = await openStore()
  const wrong: [kind: string, paragraphs: string[], sentence: RegExp][] = [
    ['note.aded', ['{link}'], /mailTexts\.en must have members among .*note\.added.* \(got "note\.aded"\)/],
    ['note.added', ['{link}', '{toke}'], /must use values among name, link, code, device, app \(got \{toke\}\)/],
    ['note.added', ['nothing to click'], /must contain \{link\} or \{code\}/],
  ]
  for (const [kind, paragraphs, sentence] of wrong) {
    const mailTexts = { en: { [kind]: { subject: 's', paragraphs, button: 'b' } } }
    await assert.rejects(startNotes(opened.store, { mailTexts }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'config_invalid')
      assert.match(error.message, sentence)
      return true
    })
  }
})

test('mail: every kind has texts in English and German, with the same values', async () => {
  await using own = await collect()
  const kinds = [...mailKinds(own.server.context)]
  assert.ok(kinds.length >= 3)
  for (const [name, { texts, values }] of kinds.filter(([kind]) => !kind.startsWith('note.'))) {
    const used = Object.values(texts).map(({ paragraphs }) =>
      paragraphs
        .join()
        .match(/\{\w+\}/g)
        ?.sort(),
    )
    assert.deepEqual(used[0], used[1], name)
    for (const value of values) assert.ok(used[0]?.includes(`{${value}}`), `${name}: ${value}`)
  }
})

test('attack: line breaks in a name, an address or a subject add no header field', async () => {
  await using opened = await openStore()
  await using mailbox = await openMailbox()
  await using server = await startNotes(opened.store, { smtpUrl: mailbox.url })
  const injected = 'Ann\r\nBcc: eve@localhost\r\n\r\n<b>x</b>'
  await server.send({ data: { name: injected, code: injected } })
  const mail = await mailbox.next(ANN)
  assert.equal(mail.subject, 'A note for Ann Bcc: eve@localhost <b>x</b>')
  assert.deepEqual([mail.to, mail.headers.has('bcc')], [ANN, false])
  assert.doesNotMatch(mail.html, /<b>x/)
  const bad = [
    ...['ann@example.com\r\nBcc: eve@example.com', 'ann@example.com,eve@example.com', 'ann@example.com eve@x'],
    ...['Ann <ann@example.com>', 'ann@example.com>', '"a b"@example.com', 'ann@a@b', 'ann', `${'a'.repeat(65)}@x`],
  ]
  for (const recipient of bad) {
    await server.send({ recipient })
    await server.send({ data: { to: recipient } })
  }
  await until(() => server.events.length === 2 * bad.length)
  for (const { data } of server.events) assert.deepEqual([data?.reason, data?.error], ['refused', 'invalid_address'])
  assert.equal(mailbox.attempts(), 1)
})

test('attack: a name that is a link, or is long, makes no advertisement of a mail', async () => {
  await using own = await collect()
  const evil = ['https://evil.example', 'You won! www.evil.example', 'go to evil.com now', 'x.co/abc']
  for (const name of evil) {
    const { text, html, subject } = await own.mail({ name, code: '123456' })
    assert.doesNotMatch(text + html + subject, /evil|x\.co/)
    assert.match(text, /^somebody wrote/)
  }
  assert.ok((await own.mail({ name: 'x'.repeat(5000) })).subject.length <= 200)
  assert.match((await own.mail({ name: 'Dr. J. R. Smith' })).text, /^Hello Dr\. J\. R\. Smith,/)
})

test('attack: values are escaped in HTML, and are no templates', () => {
  const text = { subject: '{a}', paragraphs: ['{a}', '{link}', '{code}'], button: '{a}' }
  const evil = '"><script>alert(1)</script>{link}&'
  const { html, subject } = render(text, 'en', { a: evil, code: evil, link: `https://x/"onclick="y` }, '{a}<i>')
  assert.doesNotMatch(html, /<script|"onclick|<i>/)
  assert.ok(subject.includes('{link}'))
})

test('mail: with an issuer on loopback and without SMTP, link and code are logged', async () => {
  await using opened = await openStore()
  await using server = await startNotes(opened.store, { issuer: 'http://127.0.0.1:5000' })
  await server.send({ data: { link: LINK, code: '123456', name: 'Ann' } })
  await until(() => server.lines.some(({ message }) => message.startsWith('development only')))
  const line = server.lines.find(({ message }) => message.startsWith('development only'))
  assert.deepEqual(
    [line?.level, line?.fields],
    ['info', { kind: 'note.added', to: ANN, subject: 'A note for Ann', link: LINK, code: '123456' }],
  )
  requireMail(server.context, "registration: 'verified'")
})

test('mail: without SMTP, other issuers enqueue nothing and refuse what needs mail', async () => {
  await using opened = await openStore()
  await using server = await startNotes(opened.store)
  assert.equal(await server.send({}), false)
  assert.equal(await server.waiting(), 0)
  assert.throws(() => requireMail(server.context, "registration: 'verified'"), {
    code: 'config_invalid',
    message: /^createAuth: registration: 'verified' needs mail: give smtpUrl \(SEALWAX_SMTP_URL\)/,
  })
  await assert.rejects(server.auth.mail.test(ANN), { code: 'config_invalid' })
})

test('mail: a feature can refuse options at the start, before the store is opened', async () => {
  await using opened = await openStore()
  const options = { mailTexts: { en: { nothing: { subject: 's', paragraphs: ['p'] } } } }
  await assert.rejects(startNotes(opened.store, options), { code: 'config_invalid' })
})
