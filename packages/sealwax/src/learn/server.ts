import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard } from '@sealwax/guard'
import type { AuthServer } from '../auth-server.ts'
import { createAuth } from '../create-auth.ts'
import { AuthError } from '../errors.ts'
import { toNodeHandler } from '../http/node.ts'
import { NOT_BUILT, readWebFiles } from '../pages/files.ts'
import { sqliteStore } from '../store/sqlite/index.ts'
import { ADA, AUDIENCE, GRACE } from './demo.ts'
import { lessonApp } from './routes.ts'

/** The lesson, running. */
export interface LessonServer {
  /** The address of the lesson. */
  readonly url: string
  close(): Promise<void>
}

/**
 * The second issuer. Without a window, a refresh token is used up at once, so the lesson can show a
 * replay without half a minute of waiting.
 */
const BRIEF = { accessTtl: '10s', refreshGrace: '0s', refreshRecovery: '0s', cookieName: 'brief' } as const

/**
 * Starts the lesson: an auth server in memory with two users, an API, a second service, and a
 * second issuer, whose access tokens expire after ten seconds and whose refresh tokens work once.
 * Its data is gone when it ends, and nobody outside this computer can reach it.
 *
 * @param port 0 for any free one
 * @throws {AuthError} `config_invalid` when the pages are not built
 */
export async function startLesson(port: number): Promise<LessonServer> {
  const files = readWebFiles()
  if (!files.has('learn.html')) throw new AuthError('config_invalid', NOT_BUILT)
  const server = createServer()
  await listen(server, port)
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const auth = await openAuth(origin)
  const brief = await openAuth(`${origin}/brief`, '/brief')
  // It knows only the address of the issuer, like a service on another computer.
  const secondService = createGuard({ issuer: origin, audience: AUDIENCE })
  const briefGuard = createGuard({ issuer: `${origin}/brief`, audience: AUDIENCE, clockTolerance: '0s' })
  const tolerantGuard = createGuard({ issuer: `${origin}/brief`, audience: AUDIENCE, clockTolerance: '30s' })
  const guards = { secondService, briefGuard, tolerantGuard }
  const app = toNodeHandler(lessonApp({ origin, files, auth, brief, ...guards }))
  const [briefHandler, authHandler] = [toNodeHandler(brief), toNodeHandler(auth)]
  server.on('request', (request, response) =>
    briefHandler(request, response, () => authHandler(request, response, () => app(request, response))),
  )
  return {
    url: `${origin}/learn`,
    async close() {
      for (const each of [auth, brief]) each.drain()
      server.close()
      server.closeAllConnections()
      await Promise.all([...Object.values(guards), auth, brief].map((each) => each.close()))
    },
  }
}

async function openAuth(issuer: string, basePath = ''): Promise<AuthServer> {
  const auth = await createAuth({
    ...{ issuer, audience: AUDIENCE, secret: randomBytes(48).toString('base64'), store: sqliteStore(':memory:') },
    ...(basePath !== '' && { basePath, ...BRIEF }),
    registration: 'closed',
  })
  for (const user of [ADA, GRACE]) await auth.users.create(user)
  return auth
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}
