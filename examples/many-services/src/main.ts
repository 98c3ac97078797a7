import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Starts an auth server and three APIs as separate processes. Then logs in, calls the APIs, changes
// the roles and logs out.
const directory = mkdtempSync(join(tmpdir(), 'sealwax-many-'))
const children: ChildProcess[] = []

async function start(file: string, env: Record<string, string>): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  const child = spawn(process.execPath, ['--conditions=@sealwax/source', join(import.meta.dirname, file)], {
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data')
  process.stdout.write(String(line))
  return `http://127.0.0.1:${port}`
}

interface Tokens {
  access_token: string
  refresh_token: string
}

async function post(url: string, body: unknown): Promise<Tokens> {
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return (response.status === 204 ? {} : await response.json()) as Tokens
}

async function call(api: string, token: string): Promise<string> {
  const response = await fetch(api, { headers: { Authorization: `Bearer ${token}` } })
  const body = (await response.json()) as { roles?: string[]; code?: string }
  return response.ok ? `200 roles=${JSON.stringify(body.roles)}` : `${response.status} ${body.code}`
}

/** Calls each API until it returns the expected result, and prints how long that took. */
async function until(expected: string, apis: string[], token: string): Promise<void> {
  const began = performance.now()
  for (const api of apis) {
    while ((await call(api, token)) !== expected) {
      if (performance.now() - began > 5000) throw new Error(`${api} did not return ${expected} within 5 s`)
    }
  }
  console.log(`  all answer ${expected} after ${Math.round(performance.now() - began)} ms`)
}

try {
  const issuer = await start('auth-server.ts', { DATA_DIR: directory })
  const apis: string[] = []
  while (apis.length < 3) apis.push(await start('api.ts', { ISSUER: issuer }))

  console.log('log in, and call the APIs')
  let tokens = await post(`${issuer}/login`, { email: 'alex@example.com', password: 'change-this-demo-password' })
  await until('200 roles=[]', apis, tokens.access_token)

  console.log('alex becomes a teacher: the old token is stale at each API, and the session continues')
  await fetch(`${issuer}/demo/promote`, { method: 'POST' })
  await until('401 token_stale', apis, tokens.access_token)
  tokens = await post(`${issuer}/refresh`, { refresh_token: tokens.refresh_token })
  await until('200 roles=["teacher"]', apis, tokens.access_token)

  console.log('alex logs out: all APIs refuse the access token, although it has not expired')
  await post(`${issuer}/logout`, { refresh_token: tokens.refresh_token })
  await until('401 token_revoked', apis, tokens.access_token)
} finally {
  for (const child of children) child.kill()
  await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')))
  rmSync(directory, { recursive: true, force: true })
}
