import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import postgres from 'postgres'
import { PASSWORD } from '../test/server.ts'
import { fileOf, type StoreName } from '../torture/place.ts'
import { type Attack, atLeast, exactly } from './attack.ts'
import { type Embedded, OWNER, startEmbedded, WRONG } from './embedded.ts'

const [CHOSEN, SIGNED_UP] = ['a new and longer passphrase', 'the passphrase of a sign-up']
const [NEW_ADDRESS, STRANGER] = ['owner.new@example.com', 'stranger@example.com']

/** A mail as the server sends it. */
interface Mail {
  readonly to: string
  readonly text: string
}

/** Whoever reads logs, audit rows or the database finds no secret. */
export const secretsAtRest: Attack = {
  name: 'secrets-at-rest',
  description: 'searches logs, audit rows and the database, with its outbox, for every secret of the run',
  async run(place, store) {
    const mails: Mail[] = []
    const keep = async (mail: Mail) => {
      mails.push(mail)
      // This mail stays in the outbox.
      if (mail.to === STRANGER) throw new Error('the mail server is away')
    }
    await using server = await startEmbedded(place, store, { registration: 'verified', mail: keep })
    const issued = await live(server, mails)
    const texts = mails.map(({ text }) => text)
    const links = texts.flatMap((text) => text.match(/sw[a-z]_[\w-]{20,}/g) ?? [])
    const codes = texts.flatMap((text) => text.match(/^ *\d{6}$/gm) ?? []).map((code) => code.trim())
    const secrets = [...issued, ...links, PASSWORD, CHOSEN, SIGNED_UP, WRONG]
    const logged = inspect(server.lines, { depth: 10, maxArrayLength: null, maxStringLength: null, showHidden: true })
    const audited = JSON.stringify((await server.auth.audit.list({ limit: 200 })).data)
    const stored = await contentsOf(store, server.databaseUrl)
    return [
      atLeast('tokens, device tokens and links issued', issued.length + links.length, 10),
      atLeast('codes issued', codes.length, 3),
      atLeast('log lines searched', server.lines.length, 5),
      exactly(
        'control: the address of the owner is in the database',
        stored.includes(NEW_ADDRESS) ? 'yes' : 'no',
        'yes',
      ),
      exactly('control: the mail that waits is in the outbox', stored.includes(STRANGER) ? 'yes' : 'no', 'yes'),
      ...Object.entries({ 'log lines': logged, 'audit rows': audited, 'the database': stored }).map(([where, text]) =>
        exactly(`secrets in ${where}`, found(text, secrets, codes), 0),
      ),
    ]
  },
}

/** Uses every feature that issues a secret. Returns the tokens. */
async function live(server: Embedded, mails: readonly Mail[]): Promise<string[]> {
  const ip = '10.6.0.7'
  const post = async (path: string, json: object, token?: string) => {
    const reply = await server.call(ip, path, { json, ...(token !== undefined && { token }) })
    return reply.text === '' ? {} : (JSON.parse(reply.text) as Record<string, string>)
  }
  const tokenFor = async (to: string, sent: number) => {
    for (;;) {
      const mail = mails.slice(sent).find((one) => one.to === to)
      if (mail !== undefined) return /token=(swo_[\w-]+)/.exec(mail.text)?.[1] ?? ''
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  await post('/login', { email: OWNER, password: WRONG })
  const first = await post('/login', { email: OWNER, password: PASSWORD })
  const second = await post('/refresh', { refresh_token: first.refresh_token })
  await post('/refresh', { refresh_token: `${second.refresh_token}x` })
  await post('/email', { email: NEW_ADDRESS, password: PASSWORD }, second.access_token)
  await post('/email/verify', { token: await tokenFor(NEW_ADDRESS, 0) })
  const sent = mails.length
  await post('/password/forgot', { email: NEW_ADDRESS })
  await post('/password/reset', { token: await tokenFor(NEW_ADDRESS, sent), password: CHOSEN })
  const third = await post('/login', { email: NEW_ADDRESS, password: CHOSEN, device_token: first.device_token })
  await post('/register', { email: STRANGER, password: SIGNED_UP })
  await tokenFor(STRANGER, 0)
  await post('/email/verify', { token: 'swo_of-nobody' })
  const tokens = [first, second, third].flatMap((one) => [one.access_token, one.refresh_token, one.device_token])
  return tokens.filter((token) => token !== undefined)
}

/** Everything in the database, one character for each byte. */
async function contentsOf(store: StoreName, databaseUrl: string): Promise<string> {
  if (store === 'sqlite') {
    const file = fileOf(databaseUrl)
    return [file, `${file}-wal`].map((path) => readFileSync(path, 'latin1')).join('')
  }
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} })
  try {
    const tables = await sql`select table_name from information_schema.tables where table_schema = current_schema()`
    const rows = await Promise.all(tables.map(({ table_name }) => sql`select * from ${sql(table_name)}`))
    const values = rows.flatMap((table) => table.flatMap((row) => Object.values(row)))
    return values.map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : JSON.stringify(value))).join('\n')
  } finally {
    await sql.end()
  }
}

/**
 * Counts secrets in a text: as they were issued, only their random part, and the bytes that it
 * encodes. A code is searched only as a whole string, since longer numbers contain the same digits.
 */
function found(text: string, secrets: readonly string[], codes: readonly string[]): number {
  const forms = (secret: string) => {
    const random = secret.includes(' ') ? secret : (secret.split(/^sw[a-z]_|\./).at(-1) ?? secret)
    return [secret, random, Buffer.from(random, 'base64url').toString('latin1')]
  }
  const leaked = secrets.filter((secret) => forms(secret).some((form) => form !== '' && text.includes(form)))
  const quoted = codes.filter((code) => text.includes(`"${code}"`) || text.includes(`'${code}'`))
  return leaked.length + quoted.length
}
