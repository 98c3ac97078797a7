// A worker thread verifies with a key that was sent to it, and the workers of a cluster share a database.
import assert from 'node:assert/strict'
import cluster from 'node:cluster'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { exportJwk, generateKey, importKey, sign, verify } from '@sealwax/jwt'

const rules = { issuer: 'https://auth.example.com', audience: 'api', typ: 'at+jwt' }
const FILE = 'threads.db'
const USER = { email: 'ann@example.com', password: 'correct horse battery staple' }

if (!isMainThread) {
  const { jwk, key, token } = workerData
  // A clone of a key has no key material, and says so.
  assert.throws(() => verify(token, key, rules), { message: /a copy of a key.*send exportJwk\(key\)/ })
  parentPort.postMessage(verify(token, importKey(jwk), rules).payload.sub)
} else if (cluster.isWorker) {
  const { createAuth } = await import('sealwax')
  const { toNodeHandler } = await import('sealwax/node')
  const { sqliteStore } = await import('sealwax/sqlite')
  const { ISSUER, PORT } = process.env
  const secret = 'kZ4w-test-only-9fQx7Lm2Rt6Vb8Yc1Nd3'
  const auth = await createAuth({ issuer: ISSUER, audience: 'api', secret, store: sqliteStore(FILE) })
  const handler = toNodeHandler(auth)
  createServer((request, response) => {
    response.setHeader('X-Process', String(process.pid))
    response.setHeader('Connection', 'close')
    handler(request, response)
  }).listen(Number(PORT), '127.0.0.1')
} else {
  await verifyInThread()
  await logInAndOutInCluster()
}

async function verifyInThread() {
  const key = await generateKey('ES256')
  const token = sign({ sub: 'user-123', client_id: 'app' }, key, { ...rules, expiresIn: 60 })
  const { publicKey } = key
  const thread = new Worker(new URL(import.meta.url), {
    workerData: { token, jwk: exportJwk(publicKey), key: publicKey },
  })
  const [subject] = await once(thread, 'message')
  assert.equal(subject, 'user-123')
}

async function logInAndOutInCluster() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  const ISSUER = `http://127.0.0.1:${port}`
  const workers = [0, 1].map(() => cluster.fork({ ISSUER, PORT: port }))
  try {
    await Promise.all(workers.map((worker) => once(worker, 'listening')))
    const call = async (path, body, token) => {
      const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }
      const init = body ? { method: 'POST', body: JSON.stringify(body) } : {}
      return fetch(ISSUER + path, { ...init, headers })
    }
    const registered = await call('/register', USER)
    assert.equal(registered.status, 201)
    const { access_token: token } = await registered.json()
    const seen = new Set()
    for (let i = 0; i < 20; i += 1) {
      const reply = await call('/me', undefined, token)
      assert.equal(reply.status, 200)
      seen.add(reply.headers.get('X-Process'))
    }
    assert.equal(seen.size, 2, 'both processes replied')
    assert.equal((await call('/logout', {}, token)).status, 204)
    await new Promise((done) => setTimeout(done, 2000))
    for (let i = 0; i < 20; i += 1) assert.equal((await call('/me', undefined, token)).status, 401)
  } finally {
    for (const worker of workers) worker.process.kill()
    for (const suffix of ['', '-shm', '-wal']) rmSync(FILE + suffix, { force: true })
  }
}
