import { answer, processorTime } from './child.ts'
import { type Connection, openConnection } from './load-client.ts'
import { quantile } from './measure.ts'

// The load generator. It runs in a separate process, on its own core if it was started with one.

/** One client: its connection, and the function that sends its next request. */
interface Client {
  readonly connection: Connection
  /** Sends one request, checks the response, and stores what the next request needs. */
  step(): Promise<void>
}

interface Load {
  readonly port: number
  readonly kind: 'refresh' | 'request' | 'login'
  readonly milliseconds: number
  /**
   * One entry for each client: a refresh token, header lines, or an email address to log in with.
   */
  readonly each: readonly string[]
  readonly method?: 'GET' | 'POST'
  readonly path?: string
  /** What every response must contain. */
  readonly expected?: string
  readonly password?: string
}

/** The result of a load. */
export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Latencies in milliseconds. */
  readonly p50: number
  readonly p99: number
  /** The share of its core that the generator used. Near 1, the generator was the bottleneck. */
  readonly busy: number
  /** The refresh tokens to continue with. */
  readonly tokens: readonly string[]
}

async function load(options: Load): Promise<LoadResult> {
  const tokens = [...options.each]
  const clients = await Promise.all(options.each.map((_, index) => clientOf(options, tokens, index)))
  const latencies: number[] = []
  let running = true
  const drive = async ({ step }: Client) => {
    while (running) {
      const start = performance.now()
      await step()
      latencies.push(performance.now() - start)
    }
  }
  const used = processorTime()
  const start = performance.now()
  setTimeout(() => {
    running = false
  }, options.milliseconds)
  await Promise.all(clients.map(drive))
  const seconds = (performance.now() - start) / 1000
  const busy = (processorTime() - used) / 1e6 / seconds
  for (const { connection } of clients) connection.close()
  return {
    requests: latencies.length,
    seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    busy,
    tokens,
  }
}

async function clientOf(options: Load, tokens: string[], index: number): Promise<Client> {
  const connection = await openConnection(options.port)
  if (options.kind === 'refresh') return { connection, step: () => refresh(connection, tokens, index) }
  const { method = 'GET', path = '/', expected = '' } = options
  const own = options.each[index] as string
  if (options.kind === 'request') {
    return {
      connection,
      step: () => expect(connection.send(method, path, own, method === 'POST' ? '{}' : undefined), expected),
    }
  }
  const body = JSON.stringify({ email: own, password: options.password })
  return {
    connection,
    step: () => expect(connection.send('POST', '/login', fromNetwork(index), body), 'refresh_token'),
  }
}

/** The header lines of a client in a network of its own. */
function fromNetwork(index: number): string {
  return `X-Forwarded-For: 10.${index >> 8}.${index & 255}.1\r\n`
}

async function refresh(connection: Connection, tokens: string[], index: number): Promise<void> {
  const sent = tokens[index] as string
  const { status, body } = await connection.send(
    'POST',
    '/refresh',
    'User-Agent: bench\r\n',
    `{"refresh_token":"${sent}"}`,
  )
  const next = /"refresh_token":"([^"]+)"/.exec(body)?.[1]
  if (status !== 200 || next === undefined) throw new Error(`a refresh returned ${status}: ${body}`)
  if (next === sent) throw new Error('a refresh did not rotate')
  tokens[index] = next
}

async function expect(reply: ReturnType<Connection['send']>, expected: string): Promise<void> {
  const { status, body } = await reply
  if (status !== 200 || !body.includes(expected)) throw new Error(`a request returned ${status}: ${body.slice(0, 300)}`)
}

/**
 * How often each status was returned when many log-ins arrived at once, and how long `/me` took
 * meanwhile.
 */
export interface StormResult {
  readonly statuses: Readonly<Record<string, number>>
  readonly probes: number
  /**
   * The p99 of the probes that were sent. The other figures also count the probes that one every 5
   * ms would have sent.
   */
  readonly uncorrected: number
  readonly p50: number
  readonly p99: number
  readonly longest: number
}

interface Storm {
  readonly port: number
  readonly logins: number
  readonly emails: readonly string[]
  readonly password: string
  readonly accessToken: string
}

/** In milliseconds. */
const PROBE_EVERY = 5

/**
 * While a probe waits for its response no other is sent, although users would send requests. Adds
 * the latencies of those that were left out (coordinated omission).
 */
function withThoseLeftOut(latency: number): number[] {
  const met = [latency]
  for (let rest = latency - PROBE_EVERY; rest > 0; rest -= PROBE_EVERY) met.push(rest)
  return met
}

async function storm({ port, logins, emails, password, accessToken }: Storm): Promise<StormResult> {
  const connections: Connection[] = []
  // Opened in advance, 50 at a time, because the backlog of a listening socket is limited.
  while (connections.length < logins) {
    const some = Math.min(50, logins - connections.length)
    connections.push(...(await Promise.all(Array.from({ length: some }, () => openConnection(port)))))
  }
  const probe = await openConnection(port)
  const headers = `Authorization: Bearer ${accessToken}\r\n`
  // Node accepts one new connection in each turn of its event loop, in order of arrival. Once the
  // last one has received a response, all are open.
  await expect(probe.send('GET', '/me', headers), '"user"')
  const latencies: number[] = []
  const statuses: Record<string, number> = {}
  let left = logins
  const storming = Promise.all(
    connections.map(async (connection, index) => {
      const body = JSON.stringify({ email: emails[index % emails.length], password })
      const { status } = await connection.send('POST', '/login', fromNetwork(index), body)
      statuses[status] = (statuses[status] ?? 0) + 1
      left -= 1
    }),
  )
  while (left > 0) {
    const start = performance.now()
    await expect(probe.send('GET', '/me', headers), '"user"')
    latencies.push(performance.now() - start)
    await new Promise((resolve) => setTimeout(resolve, PROBE_EVERY))
  }
  await storming
  for (const connection of [...connections, probe]) connection.close()
  const met = latencies.flatMap(withThoseLeftOut)
  const uncorrected = quantile(latencies, 0.99)
  const [p50, p99] = [quantile(met, 0.5), quantile(met, 0.99)]
  return { statuses, probes: latencies.length, uncorrected, p50, p99, longest: quantile(met, 1) }
}

answer({ load, storm })
