import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Store } from '../../src/core/unit-of-work.ts'
import { toNodeHandler } from '../../src/http/node.ts'
import { type AuthOptions, type AuthServer, createAuth } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { type PostgresServer, startPostgres } from '../postgres.ts'
import { type Call, collector, createClock, judgedCall, listen, type Reply, SECRET, tempDir } from '../server.ts'

export interface Credentials {
  readonly id: string
  readonly secret: string
}

/** A reply of an OAuth endpoint. */
export type OAuthReply = Omit<Reply, 'body'> & { body: Record<string, unknown> & Partial<Record<string, string>> }

export interface OAuthServer extends AsyncDisposable {
  auth: AuthServer
  url: string
  file: string
  clock: ReturnType<typeof createClock>
  lines: ReturnType<typeof collector>['lines']
  events: ReturnType<typeof collector>['events']
  call(path: string, options?: Call): Promise<OAuthReply>
  /** Posts a form. A string is sent unchanged. */
  post(
    path: string,
    form: string | Record<string, string>,
    as?: Credentials,
    headers?: Record<string, string>,
  ): Promise<OAuthReply>
  /** Creates an API client with these scopes. */
  machine(...scopes: string[]): Promise<Credentials>
  /** Requests an access token of a client. */
  tokenOf(client: Credentials): Promise<string>
}

let server: Promise<PostgresServer> | undefined
after(async () => {
  await (await server)?.remove()
})

export const STORE_KINDS: Readonly<Record<string, (file: string) => Promise<Store>>> = {
  sqlite: async (file) => sqliteStore(file),
  async postgres() {
    server ??= startPostgres()
    return postgresStore(await (await server).createDatabase(), { connections: 3 })
  },
}

/**
 * Starts an auth server whose issuer is the URL where it listens, as third-party clients require.
 * The clock moves only when advanced.
 */
export async function startOAuth(
  options: Partial<AuthOptions> & { path?: string } = {},
  kind: (file: string) => Promise<Store> = async (file) => sqliteStore(file),
): Promise<OAuthServer> {
  const { path = '', ...given } = options
  const dir = tempDir()
  const file = join(dir.path, 'auth.db')
  const clock = createClock()
  const { events, lines, logger, onEvent } = collector()
  let handler: ReturnType<typeof toNodeHandler> | undefined
  const listening = await listen((request, response) => handler?.(request, response))
  const { url } = listening
  const auth = await createAuth({
    ...{ issuer: url + path, audience: 'api', secret: SECRET, store: await kind(file) },
    ...{ now: () => clock.time, logger, onEvent, ...given },
  })
  handler = toNodeHandler(auth)
  const judged: OAuthServer['call'] = (at, request) =>
    judgedCall(url, at, request, given.basePath) as unknown as Promise<OAuthReply>
  const post: OAuthServer['post'] = (at, form, as, headers = {}) =>
    judged(at, {
      body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...(as && basic(as)), ...headers },
    })
  return {
    ...{ auth, url, file, clock, lines, events, post },
    call: judged,
    async machine(...scopes) {
      const { client, secret } = await auth.clients.create({ name: 'a machine', scopes })
      return { id: client.id, secret }
    },
    async tokenOf(client) {
      const { status, body } = await post('/oauth/token', { grant_type: 'client_credentials' }, client)
      assert.equal(status, 200)
      return body.access_token as string
    },
    async [Symbol.asyncDispose]() {
      await listening[Symbol.asyncDispose]()
      await auth.close()
      dir[Symbol.dispose]()
    },
  }
}

export function basic({ id, secret }: Credentials): { Authorization: string } {
  return { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

/** Checks what every refusal of `/oauth/*` has in common (RFC 6749 §5.2). */
export function assertOAuthError(reply: OAuthReply, [status, error]: [status: number, error: string], name = ''): void {
  const { headers, body, text } = reply
  assert.deepEqual([name, reply.status, body.error], [name, status, error])
  assert.match(headers.get('Content-Type') ?? '', /^application\/json(;|$)/, name)
  assert.deepEqual([headers.get('Cache-Control'), headers.get('Pragma')], ['no-store', 'no-cache'], name)
  assert.match(body.error_description ?? '', /^[\x20-\x21\x23-\x5b\x5d-\x7e]{10,}$/, name)
  assert.equal(body.request_id, headers.get('X-Request-Id'), name)
  assert.deepEqual(
    Object.keys(body).filter((member) => member !== 'reason'),
    ['error', 'error_description', 'request_id'],
    name,
  )
  assert.equal(headers.get('Allow'), status === 405 ? 'POST' : null, name)
  assert.equal(headers.get('Retry-After') !== null, status === 503, name)
  assert.doesNotMatch(text, /\bat .+:\d+:\d+|node_modules|stack|sws_|swr_|eyJ/, name)
}
