import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import postgres from 'postgres'
import { features } from '../../src/features.ts'
import { clientOf } from '../../src/store/postgres/client.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { isLoopback, refuseCleartext } from '../../src/store/postgres/socket.ts'
import { parsePostgresUrl } from '../../src/store/postgres/url.ts'
import { type PostgresServer, startPostgres, unprivileged } from '../postgres.ts'
import { SECRET, tempDir } from '../server.ts'

const PASSWORD = 'hunter#2 / tiger@home'
const BIN = join(import.meta.dirname, '../../bin/sealwax.js')

/** Runs one statement over a connection opened the way the store opens it. */
async function ask(url: string, statement: string): Promise<unknown> {
  const client = clientOf(parsePostgresUrl(url), {})
  try {
    return (await client.unsafe(statement))[0]?.answer
  } finally {
    await client.end({ timeout: 1 })
  }
}

const IS_ENCRYPTED = 'select ssl as answer from pg_stat_ssl where pid = pg_backend_pid()'

describe('a Postgres server with a self-signed certificate', () => {
  const temporary = tempDir()
  const [cert, key, rules] = ['cert.pem', 'key.pem', 'pg_hba.conf'].map((name) => join(temporary.path, name)) as [
    string,
    string,
    string,
  ]
  let server: PostgresServer
  let url: URL

  before(async () => {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-days', '1', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
      ],
      { stdio: 'pipe' },
    )
    const lines = [
      'host all sealwax all trust',
      'hostssl all plain all password',
      'host all plain all reject',
      'host all alex all scram-sha-256',
    ]
    writeFileSync(rules, `${lines.join('\n')}\n`)
    const { uid, gid } = unprivileged()
    for (const path of [temporary.path, cert, key, rules]) if (uid !== undefined) chownSync(path, uid, gid as number)
    server = await startPostgres({ ssl: 'on', ssl_cert_file: cert, ssl_key_file: key, hba_file: rules })
    url = new URL(await server.createDatabase())
    const admin = postgres(url.href, { max: 1 })
    for (const user of ['plain', 'alex'])
      await admin.unsafe(`create role ${user} superuser login password '${PASSWORD}'`)
    await admin.end()
  })
  after(async () => {
    await server.remove()
    temporary[Symbol.dispose]()
  })

  /** The URL with another user, host or parameters. */
  function urlOf({ user = 'sealwax', password = '', host = '127.0.0.1', parameters = '' }): string {
    const credentials = password === '' ? user : `${user}:${encodeURIComponent(password)}`
    return `postgres://${credentials}@${host}:${url.port}${url.pathname}${parameters}`
  }

  it('without sslmode, every connection of the store uses TLS', async () => {
    const store = postgresStore(urlOf({}))
    await store.open({ features, migrate: 'auto' })
    const stop = store.follow(() => {})
    await store.transaction((facts) => facts.metadata.getOrSet('a', 'x'))
    await store.committed.metadata.get('a')
    const admin = postgres(url.href, { max: 1 })
    const connections = () =>
      admin`select ssl from pg_stat_activity join pg_stat_ssl using (pid) where application_name = 'sealwax'`
    while ((await connections()).length < 3) await delay(20)
    assert.deepEqual(new Set((await connections()).map(({ ssl }) => ssl)), new Set([true]))
    await admin.end()
    await stop()
    await store.close()
  })

  for (const [parameters, host, encrypted] of [
    ['?sslmode=disable', '127.0.0.1', false],
    ['?sslmode=prefer', '127.0.0.1', true],
    ['?sslmode=require', '127.0.0.1', true],
    ['?sslmode=require&sslrootcert=CERT', '127.0.0.1', true],
    ['?sslmode=verify-ca&sslrootcert=CERT', '127.0.0.1', true],
    ['?sslmode=verify-full&sslrootcert=CERT', 'localhost', true],
  ] as const) {
    it(`${parameters} on ${host}: the connection is ${encrypted ? '' : 'not '}encrypted`, async () => {
      const parts = { host, parameters: parameters.replace('CERT', encodeURIComponent(cert)) }
      assert.equal(await ask(urlOf(parts), IS_ENCRYPTED), encrypted)
    })
  }

  const UNTRUSTED = 'its certificate is not signed by a trusted CA; set sslrootcert to its CA'
  for (const [parameters, host, code, reason] of [
    [
      '?sslmode=verify-full&sslrootcert=CERT',
      '127.0.0.1',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'its certificate is for another host name',
    ],
    ['?sslmode=verify-full', 'localhost', 'DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
    ['?sslmode=verify-ca', '127.0.0.1', 'DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
    ['?sslrootcert=system', 'localhost', 'DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
    ['?sslmode=verify-full&sslrootcert=/nowhere.pem', 'localhost', 'ENOENT', 'the file of sslrootcert cannot be read'],
  ] as const) {
    it(`${parameters} on ${host}: a server whose certificate cannot be verified is refused`, async () => {
      const store = postgresStore(urlOf({ host, parameters: parameters.replace('CERT', encodeURIComponent(cert)) }))
      await assert.rejects(store.open({ features, migrate: 'auto' }), {
        code: 'config_invalid',
        message: new RegExp(`^The database .* cannot be used: the TLS connection failed \\(${code}\\): ${reason}$`),
      })
    })
  }

  it('a password with URL delimiters works with SCRAM and in cleartext over TLS; errors omit the password', async () => {
    for (const user of ['plain', 'alex'])
      assert.equal(await ask(urlOf({ user, password: PASSWORD }), 'select current_user as answer'), user)
    assert.equal(
      await ask(urlOf({ user: 'alex', password: PASSWORD, parameters: '?sslmode=disable' }), 'select 1 as answer'),
      1,
    )
    const wrong = urlOf({ user: 'alex', password: 'not-the-password' })
    const missing = `postgres://sealwax:not-the-password@127.0.0.1:${url.port}/nowhere`
    const name = url.pathname.slice(1)
    for (const [bad, database, reason] of [
      [wrong, name, 'it rejects this user: check the user name, the password and pg_hba.conf'],
      [missing, 'nowhere', 'a database of this name does not exist'],
    ] as const) {
      const sentence = `The database "${database}" at 127.0.0.1:${url.port} cannot be used: ${reason} (config_invalid)`
      const env = {
        PATH: process.env.PATH ?? '',
        SEALWAX_ISSUER: 'https://auth.example.com',
        SEALWAX_AUDIENCE: 'api',
        SEALWAX_SECRET: SECRET,
        SEALWAX_DATABASE_URL: bad,
        SEALWAX_PORT: '0',
        SEALWAX_START_TIMEOUT: '0',
      }
      for (const argv of [['serve'], ['users', 'list']]) {
        const child = spawn(process.execPath, [BIN, ...argv], { env })
        const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
        assert.equal(stderr, `sealwax: ${sentence}\n`)
        assert.ok(!stdout.includes('not-the-password'))
      }
    }
  })
})

describe('several hosts', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.remove())

  it('are each tried once, in order; if none is usable, the error is immediate', async () => {
    const { port, pathname } = new URL(await server.createDatabase())
    const url = (...ports: (string | number)[]) =>
      `postgres://sealwax@${ports.map((each) => `127.0.0.1:${each}`).join()}${pathname}`
    assert.equal(await ask(url(1, port), 'select 1 as answer'), 1)
    assert.equal(await ask(`${url(port, port)}?target_session_attrs=read-write`, 'select 1 as answer'), 1)
    const started = performance.now()
    await assert.rejects(ask(url(1, 2, 3), 'select 1 as answer'), { code: 'ECONNREFUSED' })
    const standby = `${url(port, port)}?target_session_attrs=standby`
    await assert.rejects(ask(standby, 'select 1 as answer'), { code: 'CONNECTION_DESTROYED' })
    assert.ok(performance.now() - started < 4000)
  })

  it('a proxy that accepts and drops connections makes the start fail instead of hang', async () => {
    const proxy = createServer((socket) => socket.on('data', () => socket.destroy()).on('error', () => {}))
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening))
    for (const parameters of ['', '?sslmode=disable']) {
      const store = postgresStore(`postgres://u@127.0.0.1:${(proxy.address() as AddressInfo).port}/d${parameters}`)
      await assert.rejects(store.open({ features, migrate: 'auto' }), { code: 'temporarily_unavailable' })
    }
    await new Promise((closed) => proxy.close(closed))
  })
})

const [OF_TLS, STARTUP] = [80877103, 196608]
/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
const CLEARTEXT_PLEASE = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])

const PASSWORD_MESSAGE = 0x70
type When = 'before the client sends' | 'after refusing TLS' | 'after the startup message' | 'after the log-in'

/** A server without TLS that requests the password in cleartext. */
async function attacker(host: string, when: When) {
  const heard: Buffer[] = []
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    if (when === 'before the client sends') socket.write(CLEARTEXT_PLEASE)
    socket.on('data', (bytes) => {
      heard.push(bytes)
      if (bytes[0] === PASSWORD_MESSAGE) socket.destroy()
      const asks = bytes.length >= 8 ? bytes.readUInt32BE(4) : 0
      if (asks === OF_TLS) {
        socket.write('N')
        if (when === 'after refusing TLS') socket.write(CLEARTEXT_PLEASE)
      } else if (asks === STARTUP) {
        if (when === 'after the log-in') socket.write(WELCOME)
        else if (when === 'after the startup message') socket.write(CLEARTEXT_PLEASE)
      } else if (when === 'after the log-in') socket.write(CLEARTEXT_PLEASE)
    })
  })
  await new Promise<void>((listening) => server.listen(0, host, listening))
  const { port } = server.address() as AddressInfo
  return {
    url: (parameters = '') =>
      `postgres://u:${encodeURIComponent(PASSWORD)}@${host.includes(':') ? `[${host}]` : host}:${port}/d${parameters}`,
    heardPassword: () => Buffer.concat(heard).includes(PASSWORD),
    heardNothing: () => heard.length === 0,
    async [Symbol.asyncDispose]() {
      await new Promise((closed) => server.close(closed))
    },
  }
}

describe('a man in the middle without TLS that requests the password in cleartext', () => {
  const elsewhere = Object.values(networkInterfaces())
    .flat()
    .find((address) => address !== undefined && !address.internal && address.family === 'IPv4')?.address

  for (const [when, parameters] of [
    ...[
      ['before the client sends', ''],
      ['before the client sends', '?sslmode=disable'],
      ['after refusing TLS', ''],
    ],
    ...[
      ['after the startup message', ''],
      ['after the startup message', '?sslmode=prefer'],
      ['after the startup message', '?sslmode=disable'],
    ],
    ...[
      ['after the log-in', ''],
      ['after the log-in', '?sslmode=disable'],
    ],
  ] as [When, string][]) {
    it(`does not get it outside loopback: requested ${when}, URL with ${parameters || 'no sslmode'}`, {
      skip: elsewhere === undefined && 'this machine has only loopback addresses',
    }, async () => {
      await using evil = await attacker(elsewhere as string, when)
      const speaksTooEarly = parameters === '' && (when === 'before the client sends' || when === 'after refusing TLS')
      await assert.rejects(ask(evil.url(parameters), 'select 1 as answer'), {
        code: speaksTooEarly ? /^(TLS_FAILED|CLEARTEXT_REFUSED)$/ : 'CLEARTEXT_REFUSED',
      })
      assert.ok(!evil.heardNothing() && !evil.heardPassword())
    })
  }

  it('gets it on loopback, where only this machine can listen', async () => {
    await using honest = await attacker('127.0.0.1', 'after the startup message')
    await assert.rejects(ask(honest.url(), 'select 1 as answer'), { code: 'CONNECTION_CLOSED' })
    assert.ok(honest.heardPassword())
  })

  it('does not get it if the URL requires TLS: the connection is refused', async () => {
    await using evil = await attacker('127.0.0.1', 'after the startup message')
    for (const mode of ['require', 'verify-ca', 'verify-full']) {
      await assert.rejects(postgresStore(evil.url(`?sslmode=${mode}`)).open({ features, migrate: 'auto' }), {
        code: 'config_invalid',
        message: new RegExp(`^The database .* cannot be used: it offers no TLS, and sslmode is ${mode}$`),
      })
    }
    assert.ok(!evil.heardPassword())
  })

  it('does not get it in one packet with other messages', async () => {
    await using server = await attacker('127.0.0.1', 'after the startup message')
    const socket = connect(Number(new URL(server.url()).port), '127.0.0.1')
    await once(socket, 'connect')
    const errors: string[] = []
    socket.on('error', (error) => errors.push('code' in error ? String(error.code) : error.message))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    refuseCleartext(socket, PASSWORD)
    const message = Buffer.from(`p\0\0\0${String.fromCharCode(PASSWORD.length + 5)}${PASSWORD}\0`)
    socket.write(Buffer.from('a start message'))
    socket.write(Buffer.concat([Buffer.from('another'), message, Buffer.from('and more')]))
    socket.end()
    await closed
    assert.deepEqual(errors, ['CLEARTEXT_REFUSED'])
    assert.ok(!server.heardPassword())
  })

  it('isLoopback recognizes loopback addresses', () => {
    for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(address), address)
    for (const address of [
      undefined,
      '',
      '10.0.0.1',
      '128.0.0.1',
      '::',
      '::2',
      'fd00::1',
      '::ffff:10.0.0.1',
      '1127.0.0.1',
    ]) {
      assert.ok(!isLoopback(address), String(address))
    }
  })
})
