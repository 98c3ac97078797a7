import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AuthError } from '../../src/index.ts'
import { sendOver } from '../../src/mail/smtp.ts'
import { parseSmtpUrl, type SmtpServer } from '../../src/mail/smtp-url.ts'
import { makeCertificate } from '../cli/served.ts'
import { openMailbox } from '../mailbox.ts'
import { SECRET, tempDir } from '../server.ts'
import { STORES } from '../stores.ts'
import { startNotes, until } from './sending.ts'

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')
const SMTP_PASSWORD = 'smtp/p@ss:w%rd'
const openStore = STORES.sqlite as NonNullable<typeof STORES.sqlite>
const ANN = 'ann@example.com'

/** Accepts one user, whose password is above. */
const withPassword = {
  allowInsecureAuth: true,
  onAuth: (
    { username, password }: { username?: string | undefined; password?: string | null | undefined },
    _session: unknown,
    done: (error: Error | null, response?: { user: string }) => void,
  ) => {
    if (username === 'mailer' && password === SMTP_PASSWORD) return done(null, { user: 'mailer' })
    // Some servers repeat what they were sent.
    done(Object.assign(new Error(`no such user ${username} with ${password}`), { responseCode: 535 }))
  },
}

const credentials = `mailer:${encodeURIComponent(SMTP_PASSWORD)}`

async function mailTest(settings: Record<string, string>, address = ANN) {
  using dir = tempDir()
  const child = spawn(process.execPath, [BIN, 'mail', 'test', address], {
    env: {
      PATH: process.env.PATH ?? '',
      SEALWAX_ISSUER: 'https://auth.example.com',
      SEALWAX_AUDIENCE: 'api',
      SEALWAX_SECRET: SECRET,
      SEALWAX_DATABASE_URL: `sqlite:${join(dir.path, 'auth.db')}`,
      ...settings,
    },
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  const [code] = await once(child, 'close')
  return { code, ...output }
}

test('sealwax mail test: sends a mail over TLS with a password from a file', async () => {
  using dir = tempDir()
  const { cert, key } = makeCertificate(dir.path, 'localhost')
  const tls = { secure: true, cert: readFileSync(cert), key: readFileSync(key) }
  await using mailbox = await openMailbox({ ...withPassword, ...tls })
  const file = join(dir.path, 'smtp-url')
  writeFileSync(file, `smtps://${credentials}@localhost:${mailbox.port}\n`, { mode: 0o600 })
  const settings = { SEALWAX_SMTP_URL_FILE: file, SEALWAX_MAIL_FROM: 'Über Uns <post@example.com>' }
  const trusting = { ...settings, NODE_EXTRA_CA_CERTS: cert, SEALWAX_APP_NAME: 'Example', SEALWAX_MAIL_LANGUAGE: 'de' }
  const { code, stdout, stderr } = await mailTest(trusting)
  assert.deepEqual([code, stderr], [0, ''])
  const mail = await mailbox.next(ANN)
  assert.equal(mail.subject, 'E-Mail von Example funktioniert')
  assert.equal(mail.from, '"Über Uns" <post@example.com>')
  assert.equal(JSON.parse(stdout).message_id, mail.headers.get('message-id'))
  assert.match(mail.headers.get('message-id') ?? '', /@example\.com>$/)

  const untrusted = await mailTest(settings)
  assert.equal(untrusted.code, 1)
  assert.match(untrusted.stderr, /localhost:\d+.*self-signed certificate/)
  assert.equal(mailbox.all.length, 1)
})

test('sealwax mail test: over STARTTLS, and not at all where the server does not offer it', async () => {
  using dir = tempDir()
  const { cert, key } = makeCertificate(dir.path, 'localhost')
  const tls = { cert: readFileSync(cert), key: readFileSync(key), disabledCommands: ['AUTH'] }
  await using mailbox = await openMailbox(tls)
  // The host is another name of this machine that does not count as loopback, so TLS is required.
  const url = `smtp://0.0.0.0:${mailbox.port}`
  const refused = await mailTest({ SEALWAX_SMTP_URL: url, NODE_EXTRA_CA_CERTS: cert })
  assert.match(refused.stderr, /0\.0\.0\.0:\d+.*(certificate|altnames)/i)
  await using plain = await openMailbox()
  const none = await mailTest({ SEALWAX_SMTP_URL: `smtp://0.0.0.0:${plain.port}` })
  assert.match(none.stderr, /does not offer STARTTLS/)
  assert.deepEqual([mailbox.attempts(), plain.attempts()], [0, 0])
})

test('sealwax mail test: prints what is wrong with the settings in one sentence', async () => {
  const causes: [settings: Record<string, string>, sentence: RegExp][] = [
    [{ SEALWAX_SMTP_URL: `smtp://${SMTP_PASSWORD}@127.0.0.1` }, /SEALWAX_SMTP_URL: smtpUrl must be a URL such as/],
    [{ SEALWAX_ISSUER: 'http://127.0.0.1:5000' }, /There is no mail server to test: set SEALWAX_SMTP_URL/],
    [{ SEALWAX_MAIL_FROM: 'a@b\r\nBcc: c@d' }, /SEALWAX_MAIL_FROM: mailFrom must be an address/],
  ]
  for (const [settings, sentence] of causes) {
    const { code, stdout, stderr } = await mailTest(settings)
    assert.deepEqual([code, stdout], [1, ''], stderr)
    assert.match(stderr, sentence)
    assert.doesNotMatch(stderr, /\bat .+:\d+:\d+|p@ss/)
  }
})

test('auth.mail.test: names the cause in one sentence, without user and password', async () => {
  await using opened = await openStore()
  await using mailbox = await openMailbox(withPassword)
  const at = `127.0.0.1:${mailbox.port}`
  const wrong = encodeURIComponent('not the password')
  const causes: [smtpUrl: string, sentence: RegExp, address?: string][] = [
    [`smtp://mailer:${wrong}@${at}`, /^127\.0\.0\.1:\d+ does not accept the user and password of smtpUrl: 535 no such/],
    [`smtp://${credentials}@127.0.0.1:1`, /^127\.0\.0\.1:1 could not be used \(ESOCKET: connect ECONNREFUSED/],
    ['smtp://mailer:x@smtp.invalid', /^The host smtp\.invalid was not found$/],
    [`smtp://${credentials}@${at}`, /^The address of the test mail is not valid$/, 'a@b,c@d'],
    [
      `smtp://${credentials}@${at}`,
      /^127\.0\.0\.1:\d+ does not accept the recipient: 550 refused/,
      'nobody@example.com',
    ],
  ]
  mailbox.behaviour.recipient = (address) => (address === 'nobody@example.com' ? 550 : undefined)
  for (const [smtpUrl, sentence, address = ANN] of causes) {
    await using server = await startNotes(await opened.another(), { smtpUrl })
    await assert.rejects(server.auth.mail.test(address), (error: AuthError) => {
      assert.match(error.code, /^(mail_failed|validation_failed)$/)
      assert.match(error.message, sentence)
      assert.doesNotMatch(error.message, /mailer|not the password|p@ss/)
      return true
    })
  }
  await using server = await startNotes(opened.store, { smtpUrl: `smtp://${credentials}@${at}` })
  assert.match((await server.auth.mail.test(ANN)).messageId, /^<[\w-]{22}@auth\.example\.com>$/)
})

test('smtp: without TLS, a password is sent to this machine only', async () => {
  await using mailbox = await openMailbox(withPassword)
  const server = parseSmtpUrl(`smtp://${credentials}@127.0.0.1:${mailbox.port}`) as SmtpServer
  const message = { to: ANN, from: 'a@example.com', subject: 's', text: 't', html: '<p>t</p>', headers: {} }
  await sendOver(server)(message)
  await mailbox.next(ANN)
  const ports = ['smtp://u:p@smtp.example.com', 'smtps://u:p@smtp.example.com', 'smtp://u:p@[::1]:25'].map(parseSmtpUrl)
  assert.deepEqual(
    (ports as SmtpServer[]).map(({ host, port, secure, plain }) => [host, port, secure, plain]),
    [
      ['smtp.example.com', 587, false, false],
      ['smtp.example.com', 465, true, false],
      ['::1', 25, false, true],
    ],
  )
  await assert.rejects(sendOver({ ...server, plain: false })(message), { code: 'ETLS' })
})

test('smtp: the password is in no log line, event or audit row, also after a refused log-in', async () => {
  await using opened = await openStore()
  await using mailbox = await openMailbox(withPassword)
  const wrong = 'hunter2-wrong-password'
  await using server = await startNotes(opened.store, { smtpUrl: `smtp://mailer:${wrong}@127.0.0.1:${mailbox.port}` })
  await server.send({})
  await until(() => server.told('mail not sent yet') === 1)
  server.clock.advance(25 * 3_600_000)
  await until(() => server.events.length > 0)
  assert.deepEqual(server.events[0]?.data, {
    ...{ kind: 'note.added', attempts: 2, reason: 'expired', error: 'EAUTH', smtp: 535 },
  })
  await assert.rejects(server.auth.mail.test(ANN), (error: Error) => {
    assert.match(error.message, /does not accept the user and password of smtpUrl/)
    return !error.message.includes(wrong)
  })
  const written = [server.lines, server.events, await opened.store.committed.audit.list({ limit: 99 })]
  assert.doesNotMatch(JSON.stringify(written), /hunter2|aHVudGVyMi13cm9uZy1wYXNzd29yZA/)
})
