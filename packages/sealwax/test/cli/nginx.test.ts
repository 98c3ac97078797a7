import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { call, PASSWORD, tempDir } from '../server.ts'
import { makeCertificate, type Served, startServed } from './served.ts'

const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
const NGINX = folders.map((folder) => join(folder, 'nginx')).find((path) => existsSync(path))

/** The first code block of a language in docs/production.md. */
function blockOf(language: string): string {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/production.md'), 'utf8')
  const block = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'm').exec(page)?.[1]
  assert.ok(block !== undefined, `docs/production.md has a code block in ${language}`)
  return block
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  return port
}

const dir = tempDir()
after(() => dir[Symbol.dispose]())

/**
 * Starts nginx in the foreground with the documented configuration, plus a plain HTTP port for the
 * tests.
 */
async function startNginx(upstream: number, keepAlive: string): Promise<{ child: ChildProcess; port: number }> {
  const [port, tlsPort] = [await freePort(), await freePort()]
  const { cert, key } = makeCertificate(dir.path, 'auth.example.com')
  const site = blockOf('nginx')
    .replace('127.0.0.1:5000', `127.0.0.1:${upstream}`)
    .replace('keepalive_timeout 60s', `keepalive_timeout ${keepAlive}`)
    .replace('listen 443 ssl', `listen 127.0.0.1:${port}; listen 127.0.0.1:${tlsPort} ssl`)
    .replace(/ssl_certificate .*;/, `ssl_certificate ${cert};`)
    .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${key};`)
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => {
    mkdirSync(join(dir.path, kind), { recursive: true })
    return `${kind}_temp_path ${join(dir.path, kind)};`
  })
  const file = join(dir.path, 'nginx.conf')
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  writeFileSync(
    file,
    `${user} daemon off; worker_processes 1; pid ${join(dir.path, 'nginx.pid')}; error_log stderr error;
events { worker_connections 512; }
http { access_log off; ${paths.join(' ')}
${site} }`,
  )
  const child = spawn(NGINX as string, ['-c', file, '-p', dir.path, '-e', 'stderr'], { stdio: 'inherit' })
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const socket = connect(port, '127.0.0.1')
    const reached = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (reached) return { child, port }
    await sleep(50)
  }
  child.kill('SIGKILL')
  throw new Error('nginx does not start')
}

describe('behind nginx, configured as in docs/production.md', {
  skip: NGINX === undefined && 'nginx is not installed',
}, () => {
  let served: Served
  let nginx: { child: ChildProcess; port: number }

  before(async () => {
    served = await startServed({ SEALWAX_TRUST_PROXY: '1', SEALWAX_KEEP_ALIVE: '2s' })
    nginx = await startNginx(served.port, '1s')
  })
  after(async () => {
    nginx?.child.kill('SIGTERM')
    await served?.[Symbol.asyncDispose]()
  })

  function get(agent: Agent): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      request({ agent, port: nginx.port, host: '127.0.0.1', path: '/healthz' }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      })
        .on('error', reject)
        .end()
    })
  }

  it('the client IP is the address that nginx sees', async () => {
    const { port } = nginx
    const headers = { 'X-Forwarded-For': '10.9.9.9' }
    const json = { email: 'ann@example.com', password: PASSWORD }
    const { body } = await call(`http://127.0.0.1:${port}`, '/register', { json, headers })
    const { body: list } = await call(`http://127.0.0.1:${port}`, '/sessions', { token: body.access_token })
    assert.equal(list.data[0]?.ip, '127.0.0.1')
  })

  it('no request fails when idle connections are closed: none of 2000 gets 502', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 32 })
    const statuses = new Map<number | undefined, number>()
    // The pauses between bursts are about one second, after which nginx closes idle connections.
    for (let burst = 0; burst < 4; burst += 1) {
      for (const status of await Promise.all(Array.from({ length: 500 }, () => get(agent)))) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
      if (burst < 3) await sleep(960 + 30 * burst)
    }
    agent.destroy()
    assert.deepEqual([...statuses], [[200, 2000]])
  })

  it('an idle connection stays open for the next request', async () => {
    // headersTimeout starts at the first byte of a request, not at the end of the last response.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = () =>
      new Promise<boolean>((resolve, reject) => {
        const sent = request({ agent, port: served.port, host: '127.0.0.1', path: '/healthz' }, (response) => {
          response.resume().on('end', () => resolve(sent.reusedSocket))
        }).on('error', reject)
        sent.end()
      })
    assert.equal(await ask(), false)
    await sleep(1500)
    assert.equal(await ask(), true)
    agent.destroy()
  })
})

describe('docs/production.md', () => {
  const analyze = globSync('/usr/bin/systemd-analyze')[0]

  it('systemd accepts the documented unit without a warning', {
    skip: analyze === undefined && 'systemd is not installed',
  }, () => {
    // The documented path of the program does not exist on this machine.
    const unit = blockOf('ini').replace(/^ExecStart=.*$/m, `ExecStart=${process.execPath} serve`)
    const file = join(dir.path, 'sealwax.service')
    writeFileSync(file, unit)
    const said = execFileSync(analyze as string, ['verify', '--recursive-errors=no', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
    })
    assert.equal(said, '')
  })
})
