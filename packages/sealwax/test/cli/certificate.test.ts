import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { connect, type PeerCertificate } from 'node:tls'
import { type EnvironmentError, readEnvironment } from '../../src/cli/settings.ts'
import { SECRET, tempDir } from '../server.ts'
import { type CertificateFiles, makeCertificate, type Served, startServed } from './served.ts'

const dir = tempDir()
after(() => dir[Symbol.dispose]())

function serveWith({ cert, key }: CertificateFiles, settings: Record<string, string> = {}): Promise<Served> {
  return startServed({ SEALWAX_TLS_CERT: cert, SEALWAX_TLS_KEY: key, ...settings })
}

/** The common name in the certificate that the server currently sends. */
async function shownBy({ port }: Served): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  const certificate = await new Promise<PeerCertificate>((resolve, reject) => {
    socket.once('secureConnect', () => resolve(socket.getPeerCertificate())).once('error', reject)
  })
  socket.destroy()
  return String(certificate.subject.CN)
}

async function get({ port }: Served, path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number | undefined; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      request({ port, host: '127.0.0.1', rejectUnauthorized: false, path, headers }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, headers: response.headers, body }), reject)
      })
        .on('error', reject)
        .end()
    },
  )
}

describe('SIGHUP', () => {
  it('new connections get the new certificate; an invalid one is logged and the old one is kept', async () => {
    const now = { cert: join(dir.path, 'now.crt'), key: join(dir.path, 'now.key') }
    const put = ({ cert, key }: Partial<CertificateFiles>) => {
      if (cert !== undefined) copyFileSync(cert, now.cert)
      if (key !== undefined) copyFileSync(key, now.key)
    }
    const [first, second] = [makeCertificate(dir.path, 'first'), makeCertificate(dir.path, 'second')]
    put(first)
    await using served = await serveWith(now)
    assert.equal(await shownBy(served), 'first')
    let reloads = 0
    const hangUp = async () => {
      reloads += 1
      served.signal('SIGHUP')
      const told = () => served.lines.filter(({ msg }) => /certificate (was not )?reloaded/.test(msg))
      await served.logged(() => told().length === reloads)
      return told().at(-1)
    }
    const bad: [change: () => void, message: RegExp][] = [
      [() => writeFileSync(now.cert, 'not a certificate'), /SEALWAX_TLS_CERT: the file is not a PEM certificate/],
      [() => put({ cert: second.cert }), /SEALWAX_TLS_CERT and SEALWAX_TLS_KEY: the key does not match/],
      [() => writeFileSync(now.key, readFileSync(first.key).subarray(0, 60)), /SEALWAX_TLS_KEY: the file is not a/],
    ]
    for (const [change, message] of bad) {
      change()
      const line = await hangUp()
      assert.deepEqual([line?.level, message.test(String(line?.msg))], [50, true], String(line?.msg))
      assert.equal(await shownBy(served), 'first')
    }
    put(second)
    const line = await hangUp()
    assert.deepEqual([line?.level, line?.msg], [30, 'certificate reloaded'])
    assert.ok(Date.parse(String(line?.valid_until)) > Date.now())
    assert.equal(await shownBy(served), 'second')
    assert.equal((await get(served, '/healthz')).status, 200)
  })

  it('does not end a server without a certificate', async () => {
    await using served = await startServed()
    served.signal('SIGHUP')
    await served.logged(({ msg }) => msg.startsWith('SIGHUP ignored'))
    assert.equal((await fetch(`${served.url}/healthz`)).status, 200)
  })
})

it('a start with an invalid certificate file fails with a message that names the variable', () => {
  const { cert, key } = makeCertificate(dir.path, 'start')
  const other = makeCertificate(dir.path, 'other')
  const problems = (certFile: string, keyFile: string) => {
    const settings = { SEALWAX_ISSUER: 'https://auth.example.com', SEALWAX_AUDIENCE: 'api', SEALWAX_SECRET: SECRET }
    try {
      return readEnvironment({ ...settings, SEALWAX_TLS_CERT: certFile, SEALWAX_TLS_KEY: keyFile }).tls?.files
    } catch (error) {
      return (error as EnvironmentError).problems.join()
    }
  }
  assert.match(String(problems(key, key)), /^SEALWAX_TLS_CERT: the file is not a PEM certificate \(ERR_\w+\)$/)
  assert.match(String(problems(cert, cert)), /^SEALWAX_TLS_KEY: the file is not a PEM private key .+\(ERR_\w+\)$/)
  assert.match(String(problems(cert, other.key)), /^SEALWAX_TLS_CERT and SEALWAX_TLS_KEY: the key does not match/)
  assert.deepEqual(problems(cert, key), { cert, key })
})

describe('HTTPS responses of the server', () => {
  it('attack: Strict-Transport-Security prevents a TLS downgrade, and nosniff prevents content sniffing', async () => {
    await using served = await serveWith(makeCertificate(dir.path, 'strict'))
    const { headers } = await get(served, '/.well-known/jwks.json')
    const asked: [path: string, status: number, headers?: Record<string, string>][] = [
      ['/healthz', 200],
      ['/nothing', 404],
      ['/x/../login', 404],
      ['/login', 405],
      ['/me', 401],
      ['/openapi', 200],
      ['/.well-known/jwks.json', 304, { 'If-None-Match': String(headers.etag) }],
    ]
    for (const [path, status, sent] of asked) {
      const reply = await get(served, path, sent)
      assert.equal(reply.status, status, path)
      assert.equal(reply.headers['strict-transport-security'], 'max-age=31536000', path)
      assert.equal(reply.headers['x-content-type-options'], 'nosniff', path)
    }
    const bad = await get(served, '/healthz', { Host: 'a b' })
    assert.deepEqual([bad.status, bad.headers['strict-transport-security']], [400, 'max-age=31536000'])
  })

  it('have no Strict-Transport-Security on localhost, where it would affect other servers', async () => {
    await using served = await serveWith(makeCertificate(dir.path, 'local'), {
      SEALWAX_ISSUER: 'https://localhost:5000',
    })
    assert.equal((await get(served, '/healthz')).headers['strict-transport-security'], undefined)
  })

  it('without a certificate, the header is left to the proxy', async () => {
    await using served = await startServed()
    const { headers } = await fetch(`${served.url}/healthz`)
    assert.equal(headers.get('Strict-Transport-Security'), null)
    assert.equal(headers.get('X-Content-Type-Options'), 'nosniff')
  })
})
