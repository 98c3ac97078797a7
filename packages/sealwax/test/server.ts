import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { toNodeHandler } from '../src/http/node.ts'
import { type AuditEvent, type AuthOptions, type AuthServer, createAuth } from '../src/index.ts'
import { sqliteStore } from '../src/store/sqlite/index.ts'
import { judge } from './http/conformance.ts'

export const SECRET = 'kZ4w-test-only-9fQx7Lm2Rt6Vb8Yc1Nd3'
export const PASSWORD = 'correct horse battery staple'
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** The members of all replies. A member that a route does not send is undefined at run time. */
export interface Body {
  access_token: string
  refresh_token: string
  token_type: string
  expires_in: number
  refresh_expires_in: number
  scope: string
  session: { id: string; expires_at: string }
  user: { id: string; email: string; roles: string[] }
  data: { id: string; current: boolean; created_at: string; last_seen_at: string; ip?: string; user_agent?: string }[]
  keys: Record<string, string>[]
  type: string
  title: string
  error: string
  detail: string
  status: number
  code: string
  reason: string
  request_id: string
  errors: { path: string; code: string; message: string }[]
}

export interface Reply {
  status: number
  headers: Headers
  text: string
  /** The parsed body; an empty object when it is not JSON. */
  body: Body
}

export interface Call {
  method?: string
  /** Sent as application/json. */
  json?: unknown
  /** Sent unchanged. */
  body?: BodyInit
  /** Sent as a Bearer token. */
  token?: string
  headers?: Record<string, string>
  /** The test makes the server fail on purpose, so a 500 is accepted. */
  fault?: boolean
}

/** Sends one request to a base URL and reads the whole reply. */
export async function call(
  base: string,
  path: string,
  { method, json, body, token, headers = {} }: Call = {},
): Promise<Reply> {
  const content = json === undefined ? body : JSON.stringify(json)
  const response = await fetch(base + path, {
    method: method ?? (content === undefined ? 'GET' : 'POST'),
    headers: {
      ...(json !== undefined && { 'Content-Type': 'application/json' }),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    redirect: 'manual',
    ...(content !== undefined && { body: content, duplex: 'half' }),
  })
  const received = await response.text()
  return { status: response.status, headers: response.headers, text: received, body: parsed(received) }
}

function parsed(received: string): Body {
  try {
    return JSON.parse(received)
  } catch {
    return {} as Body
  }
}

/**
 * Sends raw bytes over a new socket and returns everything received until the server closes the
 * connection.
 */
export async function sendRaw(port: number, bytes: string | Uint8Array): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  return text(socket)
}

/** Listens on a free port of 127.0.0.1. */
export async function listen(
  handler: RequestListener,
): Promise<{ server: Server; port: number; url: string } & AsyncDisposable> {
  const server = createServer(handler)
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
  return { server, port, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close }
}

/** A temporary directory, removed on disposal. */
export function tempDir(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'sealwax-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** A clock that moves only when `advance` is called. */
export function createClock(time = Date.UTC(2026, 0, 15, 12, 20, 0)) {
  return {
    time,
    advance(milliseconds: number) {
      this.time += milliseconds
    },
  }
}

export interface Line {
  level: string
  fields: object
  message: string
}

/** Collects log lines and events. */
export function collector() {
  const events: AuditEvent[] = []
  const lines: Line[] = []
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message })
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { events, lines, logger, onEvent: (event: AuditEvent) => void events.push(event) }
}

export interface Started extends AsyncDisposable {
  auth: AuthServer
  url: string
  port: number
  /** The database file. */
  file: string
  clock: ReturnType<typeof createClock>
  events: AuditEvent[]
  lines: Line[]
  call(path: string, options?: Call): Promise<Reply>
  /** Closes the auth server and opens it again on the same file. */
  restart(changed?: Partial<AuthOptions>): Promise<void>
}

/**
 * A complete auth server on a real socket, with its own database file and a clock that moves only
 * when advanced.
 */
export async function startAuth(options: Partial<AuthOptions> = {}): Promise<Started> {
  const dir = tempDir()
  const clock = createClock()
  const { events, lines, logger, onEvent } = collector()
  const file = join(dir.path, 'auth.db')
  const open = (changed: Partial<AuthOptions> = {}) =>
    createAuth({
      ...{ issuer: 'http://127.0.0.1:5000', audience: 'api', secret: SECRET, store: sqliteStore(file) },
      ...{ now: () => clock.time, logger, onEvent, ...options, ...changed },
    })
  const opening = open()
  opening.catch(() => dir[Symbol.dispose]())
  const started = { auth: await opening }
  let handler = toNodeHandler(started.auth)
  const server = await listen((request, response) => handler(request, response))
  return Object.assign(started, {
    ...{ url: server.url, port: server.port, file, clock, events, lines },
    call: (path: string, request?: Call) => judgedCall(server.url, path, request, options.basePath),
    async restart(changed?: Partial<AuthOptions>) {
      await started.auth.close()
      started.auth = await open(changed)
      handler = toNodeHandler(started.auth)
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await started.auth.close()
      dir[Symbol.dispose]()
    },
  })
}

/** Like {@link call}, and checks the reply against the OpenAPI document. */
export async function judgedCall(
  base: string,
  path: string,
  request: Call = {},
  basePath: string | undefined = '',
): Promise<Reply> {
  const reply = await call(base, path, request)
  const method = request.method ?? (request.json === undefined && request.body === undefined ? 'GET' : 'POST')
  const [whole = ''] = path.split('?')
  if (whole.startsWith(basePath)) {
    assert.deepEqual(await judge(method, whole.slice(basePath.length), reply, request), [])
  }
  return reply
}

/** Returns 'accepted' if the guard accepts an access token, otherwise the error code. */
export async function standing(auth: Pick<AuthServer, 'guard'>, token: string): Promise<string> {
  try {
    await auth.guard.authenticate({ headers: { authorization: `Bearer ${token}` } })
    return 'accepted'
  } catch (error) {
    return (error as { code: string }).code
  }
}

/** Checks what every refusal has in common: status, code, headers and body. */
export function assertProblem(
  { status, headers, body, text }: Reply,
  expected: [status: number, code: string],
  name = '',
): void {
  assert.deepEqual([name, status, body.code], [name, ...expected])
  assert.match(headers.get('Content-Type') ?? '', /^application\/problem\+json(;|$)/)
  assert.equal(headers.get('Cache-Control'), 'no-store')
  assert.deepEqual([body.status, body.error, body.type], [status, body.title, `urn:sealwax:error:${body.code}`])
  assert.ok(body.title && body.detail && body.request_id)
  assert.equal(body.request_id, headers.get('X-Request-Id'))
  assert.doesNotMatch(text, /\bat .+:\d+:\d+|node_modules|\.ts\b|stack|hunter2/)
}
