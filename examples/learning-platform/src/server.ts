import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import { openPlatform, type PlatformOptions } from './app.ts'
import { createDemoUsers } from './demo.ts'

export interface ServerOptions extends Omit<PlatformOptions, 'issuer'> {
  /** 0 takes any free port. */
  readonly port: number
}

export interface RunningPlatform {
  readonly url: string
  /** Stops accepting requests, lets pending ones finish, and closes the databases. */
  close(): Promise<void>
}

/** How long a pending request may delay the shutdown. */
const PATIENCE_MS = 3000

/**
 * Serves the platform on the loopback interface only, with the demo users. Tokens contain the
 * issuer `http://127.0.0.1:<port>`, so the port is opened first, and a busy port is noticed before
 * any file is created. A request that arrives early waits until everything is open.
 */
export async function startServer({ port, dataDir, ...options }: ServerOptions): Promise<RunningPlatform> {
  const opened = Promise.withResolvers<Express>()
  const server = createServer((req, res) => void opened.promise.then((app) => app(req, res)))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const platform = await openPlatform({ issuer: url, dataDir, ...options })
    await createDemoUsers(platform.auth)
    opened.resolve(platform.app)
    const close = async () => {
      const closed = once(server, 'close')
      server.close()
      setTimeout(() => server.closeAllConnections(), PATIENCE_MS).unref()
      await closed
      await platform.close()
    }
    return { url, close }
  } catch (error) {
    server.close()
    server.closeAllConnections()
    throw error
  }
}
