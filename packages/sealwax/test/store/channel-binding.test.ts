import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect as connectTls, TLSSocket } from 'node:tls'
import postgres from 'postgres'
import { features } from '../../src/features.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { type PostgresServer, startPostgres, unprivileged } from '../postgres.ts'
import { tempDir } from '../server.ts'

const PASSWORD = 'hunter2, tiger=home'

/** Creates a self-signed certificate for localhost. */
function certificateIn(directory: string, name: string, kind: readonly string[]) {
  const [key, cert] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)]
  const files = ['-keyout', key, '-out', cert]
  execFileSync('openssl', ['req', '-x509', '-days', '1', '-nodes', '-subj', '/CN=localhost', ...kind, ...files], {
    stdio: 'pipe',
  })
  return { key, cert }
}

describe('channel_binding=require', () => {
  const directory = tempDir()
  // A certificate signed with a hash stronger than SHA-256 is hashed with that hash (RFC 5929,
  // section 4.1).
  const own = certificateIn(directory.path, 'own', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384'])
  const other = certificateIn(directory.path, 'other', ['-newkey', 'rsa:2048'])
  let server: PostgresServer
  let url: URL
  before(async () => {
    const rules = join(directory.path, 'pg_hba.conf')
    writeFileSync(
      rules,
      'host all sealwax all trust\nhostssl all ann all scram-sha-256\nhostssl all bob all password\n',
    )
    const { uid, gid } = unprivileged()
    for (const path of [directory.path, own.key, own.cert, rules])
      if (uid !== undefined) chownSync(path, uid, gid as number)
    server = await startPostgres({ ssl: 'on', ssl_cert_file: own.cert, ssl_key_file: own.key, hba_file: rules })
    url = new URL(await server.createDatabase())
    const admin = postgres(url.href, { max: 1 })
    for (const role of ['ann', 'bob']) await admin.unsafe(`create role ${role} superuser login password '${PASSWORD}'`)
    await admin.end()
  })
  after(async () => {
    await server.remove()
    directory[Symbol.dispose]()
  })

  function urlOf({
    user = 'ann',
    password = PASSWORD,
    port = Number(url.port),
    parameters = '?channel_binding=require',
  }) {
    return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}${url.pathname}${parameters}`
  }

  it('logs in and works, with one connection and with a pool', async () => {
    const store = postgresStore(urlOf({}), { connections: 3 })
    await store.open({ features, migrate: 'auto' })
    const names = Array.from({ length: 9 }, (_, i) => `name-${i}`)
    await Promise.all(names.map((name) => store.transaction((facts) => facts.metadata.set(name, 'x'.repeat(100_000)))))
    const values = await Promise.all(names.map((name) => store.committed.metadata.get(name)))
    assert.ok(values.every((value) => value?.length === 100_000))
    await store.close()
  })

  it('attack: a man in the middle that relays to the real server with another certificate is refused', async () => {
    await using between = await interceptor(Number(url.port), other)
    const { port } = between
    const trusting = postgresStore(urlOf({ port, parameters: '?sslmode=require' }))
    await trusting.open({ features, migrate: 'auto' })
    await trusting.close()
    await assert.rejects(postgresStore(urlOf({ port })).open({ features, migrate: 'auto' }), { code: 'config_invalid' })
  })

  it('attack: a server that requires no log-in or requests the password in cleartext is refused', async () => {
    for (const user of ['sealwax', 'bob']) {
      await assert.rejects(postgresStore(urlOf({ user })).open({ features, migrate: 'auto' }), {
        code: 'config_invalid',
        message: /: it does not use channel binding, and channel_binding is require$/,
      })
    }
  })

  it('is refused on a Unix socket', async () => {
    await using listening = createServer()
    listening.listen(join(directory.path, '.s.PGSQL.5432'))
    await once(listening, 'listening')
    const store = postgresStore(`postgres:///d?host=${directory.path}&channel_binding=require`)
    await assert.rejects(store.open({ features, migrate: 'auto' }), {
      message: /: a Unix socket has no certificate for channel binding, and channel_binding is require$/,
    })
  })

  it('a wrong password is reported as a rejected log-in', async () => {
    await assert.rejects(postgresStore(urlOf({ password: 'wrong' })).open({ features, migrate: 'auto' }), {
      message: /: it rejects this user: check the user name, the password and pg_hba\.conf$/,
    })
  })
})

/** Terminates TLS on both sides and relays the decrypted data. */
async function interceptor(upstream: number, { key, cert }: { key: string; cert: string }) {
  const sockets: Socket[] = []
  const server = createServer(async (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    // The SSLRequest, received from the client and sent to the server.
    const [question] = (await once(socket, 'data')) as [Buffer]
    const raw = connect(upstream, '127.0.0.1')
    sockets.push(raw)
    raw.on('error', () => {}).write(question)
    await once(raw, 'data')
    const ahead = connectTls({ socket: raw, rejectUnauthorized: false })
    const behind = new TLSSocket(socket, { isServer: true, key: readFileSync(key), cert: readFileSync(cert) })
    socket.write('S')
    for (const each of [ahead, behind]) each.on('error', () => {})
    ahead.pipe(behind).pipe(ahead)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}
