import { randomBytes } from 'node:crypto'
import { createGuard } from '@sealwax/guard'
import type { AuthServer } from '../auth-server.ts'
import type { AuthOptions } from '../core/options.ts'
import { createAuth } from '../create-auth.ts'
import { AuthError } from '../errors.ts'
import { toNodeHandler } from '../http/node.ts'
import { NOT_BUILT, readWebFiles, type WebFiles } from '../pages/files.ts'
import { sqliteStore } from '../store/sqlite/index.ts'
import { ADA, AUDIENCE, GRACE, REFRESH_COOKIE } from './demo.ts'
import { type LoopbackServer, openLoopbackServer } from './loopback-server.ts'
import { lessonApp } from './routes.ts'
import { watch } from './seen.ts'
import { neighbourApp } from './storage-routes.ts'

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
const BRIEF = { accessTtl: '10s', refreshGrace: '0s', refreshRecovery: '0s', basePath: '/brief' } as const

/**
 * Starts the lesson: an auth server in memory with two users, an API, a second service, and a
 * second issuer, whose access tokens expire after ten seconds and whose refresh tokens work once.
 * Its data is gone when it ends, and nobody outside this computer can reach it. It reads no
 * settings, so it never touches another installation.
 *
 * @param port 0 for any free one
 * @throws {AuthError} `config_invalid` when the pages are not built
 */
export async function startLesson(port: number): Promise<LessonServer> {
  const files = readWebFiles()
  if (!files.has('learn.html')) throw new AuthError('config_invalid', NOT_BUILT)
  // Tokens contain the port, so it is opened first.
  const server = await openLoopbackServer(port)
  const neighbour = await openLoopbackServer(0)
  const closeServers = () => {
    for (const each of [server, neighbour]) each.close()
  }
  try {
    const close = await open(server, neighbour, files)
    return {
      url: `${server.origin}/learn`,
      async close() {
        closeServers()
        await close()
      },
    }
  } catch (error) {
    closeServers()
    throw error
  }
}

async function open({ origin, serve }: LoopbackServer, neighbour: LoopbackServer, files: WebFiles) {
  const briefIssuer = origin + BRIEF.basePath
  const [auth, brief] = await Promise.all([
    openAuth({ issuer: origin, cookieName: REFRESH_COOKIE }),
    openAuth({ issuer: briefIssuer, cookieName: `${REFRESH_COOKIE}-brief`, ...BRIEF }),
  ])
  // It knows only the address of the issuer, like a service on another computer.
  const secondService = createGuard({ issuer: origin, audience: AUDIENCE })
  const briefGuard = createGuard({ issuer: briefIssuer, audience: AUDIENCE, clockTolerance: '0s' })
  const tolerantGuard = createGuard({ issuer: briefIssuer, audience: AUDIENCE, clockTolerance: '30s' })
  const guards = { secondService, briefGuard, tolerantGuard }
  const { servable, seen } = watch(auth)
  const app = lessonApp({ origin, neighbour: neighbour.origin, seen, files, auth, brief, ...guards })
  const [briefHandler, authHandler, appHandler] = [toNodeHandler(brief), toNodeHandler(servable), toNodeHandler(app)]
  serve((request, response) =>
    briefHandler(request, response, () => authHandler(request, response, () => appHandler(request, response))),
  )
  neighbour.serve(toNodeHandler(neighbourApp(origin)))
  return async () => {
    for (const each of [auth, brief]) each.drain()
    await Promise.all([...Object.values(guards), auth, brief].map((each) => each.close()))
  }
}

type Own = Pick<AuthOptions, 'issuer' | 'cookieName'> & Partial<typeof BRIEF>

async function openAuth(own: Own): Promise<AuthServer> {
  const auth = await createAuth({
    ...{ ...own, audience: AUDIENCE, registration: 'closed' },
    ...{ secret: randomBytes(48).toString('base64'), store: sqliteStore(':memory:') },
  })
  for (const user of [ADA, GRACE]) await auth.users.create(user)
  return auth
}
