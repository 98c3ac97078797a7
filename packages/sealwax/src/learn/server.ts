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
import { ADA, AUDIENCE, GRACE, REFRESH_COOKIE } from './demo.ts'
import { lessonApp } from './routes.ts'
import { watch } from './seen.ts'
import { neighbourApp } from './storage-routes.ts'

/** The lesson, running. */
export interface LessonServer {
  /** The address of the lesson. */
  readonly url: string
  close(): Promise<void>
}

/** How long the tokens of the second issuer are valid. */
const BRIEF = '10s'

/**
 * Starts the lesson: an auth server in memory with two users, an API, a second service, and an
 * issuer of tokens that expire after ten seconds. Its data is gone when it ends, and nobody outside
 * this computer can reach it.
 *
 * @param port 0 for any free one
 * @throws {AuthError} `config_invalid` when the pages are not built
 */
export async function startLesson(port: number): Promise<LessonServer> {
  const files = readWebFiles()
  if (!files.has('learn.html')) throw new AuthError('config_invalid', NOT_BUILT)
  const [server, neighbour] = [createServer(), createServer()]
  await listen(server, port)
  await listen(neighbour, 0)
  const origin = originOf(server)
  const auth = await openAuth(origin)
  const brief = await openAuth(`${origin}/brief`, '/brief')
  // It knows only the address of the issuer, like a service on another computer.
  const secondService = createGuard({ issuer: origin, audience: AUDIENCE })
  const briefGuard = createGuard({ issuer: `${origin}/brief`, audience: AUDIENCE, clockTolerance: '0s' })
  const { servable, seen } = watch(auth)
  const app = toNodeHandler(
    lessonApp({ origin, neighbour: originOf(neighbour), seen, files, auth, secondService, briefGuard }),
  )
  const [briefHandler, authHandler] = [toNodeHandler(brief), toNodeHandler(servable)]
  server.on('request', (request, response) =>
    briefHandler(request, response, () => authHandler(request, response, () => app(request, response))),
  )
  neighbour.on('request', toNodeHandler(neighbourApp(origin)))
  return {
    url: `${origin}/learn`,
    async close() {
      for (const each of [auth, brief]) each.drain()
      for (const each of [server, neighbour]) {
        each.close()
        each.closeAllConnections()
      }
      await Promise.all([secondService.close(), briefGuard.close(), auth.close(), brief.close()])
    },
  }
}

async function openAuth(issuer: string, basePath = ''): Promise<AuthServer> {
  const auth = await createAuth({
    ...{ issuer, audience: AUDIENCE, secret: randomBytes(48).toString('base64'), store: sqliteStore(':memory:') },
    ...(basePath === '' ? { cookieName: REFRESH_COOKIE } : { basePath, accessTtl: BRIEF, cookieName: 'brief' }),
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

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
