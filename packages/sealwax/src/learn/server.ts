import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGuard } from '@sealwax/guard'
import type { AuthServer } from '../auth-server.ts'
import { createAuth } from '../create-auth.ts'
import { AuthError } from '../errors.ts'
import { toNodeHandler } from '../http/node.ts'
import { NOT_BUILT, readWebFiles, type WebFiles } from '../pages/files.ts'
import { sqliteStore } from '../store/sqlite/index.ts'
import { ADA, AUDIENCE, GRACE } from './demo.ts'
import { lessonApp } from './routes.ts'

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
 * this computer can reach it. It reads no settings, so it never touches another installation.
 *
 * @param port 0 for any free one
 * @throws {AuthError} `config_invalid` when the pages are not built
 */
export async function startLesson(port: number): Promise<LessonServer> {
  const files = readWebFiles()
  if (!files.has('learn.html')) throw new AuthError('config_invalid', NOT_BUILT)
  // Tokens contain the port, so it is opened first. A request that arrives early waits.
  const opened = Promise.withResolvers<RequestListener>()
  const server = createServer((request, response) => {
    if (isOwnHost(request)) void opened.promise.then((handle) => handle(request, response))
    else refuseHost(request, response)
  })
  await listen(server, port)
  const closeServer = () => {
    server.close()
    server.closeAllConnections()
  }
  try {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { handle, close } = await openLesson(origin, files)
    opened.resolve(handle)
    return {
      url: `${origin}/learn`,
      async close() {
        closeServer()
        await close()
      },
    }
  } catch (error) {
    closeServer()
    throw error
  }
}

async function openLesson(origin: string, files: WebFiles) {
  const [auth, brief] = await Promise.all([openAuth(origin, 'lesson'), openAuth(`${origin}/brief`, 'lesson-brief')])
  // It knows only the address of the issuer, like a service on another computer.
  const secondService = createGuard({ issuer: origin, audience: AUDIENCE })
  const briefGuard = createGuard({ issuer: `${origin}/brief`, audience: AUDIENCE, clockTolerance: '0s' })
  const tolerantGuard = createGuard({ issuer: `${origin}/brief`, audience: AUDIENCE, clockTolerance: '30s' })
  const guards = { secondService, briefGuard, tolerantGuard }
  const app = toNodeHandler(lessonApp({ origin, files, auth, ...guards }))
  const [briefHandler, authHandler] = [toNodeHandler(brief), toNodeHandler(auth)]
  const handle: RequestListener = (request, response) =>
    briefHandler(request, response, () => authHandler(request, response, () => app(request, response)))
  const close = async () => {
    for (const each of [auth, brief]) each.drain()
    await Promise.all([...Object.values(guards), auth, brief].map((each) => each.close()))
  }
  return { handle, close }
}

/** @param cookieName not the default: a browser shares cookies between all ports of this computer */
async function openAuth(issuer: string, cookieName: string): Promise<AuthServer> {
  const basePath = new URL(issuer).pathname.replace(/\/$/, '')
  const auth = await createAuth({
    ...{ issuer, audience: AUDIENCE, secret: randomBytes(48).toString('base64'), store: sqliteStore(':memory:') },
    ...(basePath !== '' && { basePath, accessTtl: BRIEF }),
    ...{ cookieName, registration: 'closed' },
  })
  for (const user of [ADA, GRACE]) await auth.users.create(user)
  return auth
}

/**
 * Whether a request is for this server. A page of the internet can give its own name the address
 * 127.0.0.1 (DNS rebinding) and would then be allowed to read every reply.
 */
function isOwnHost({ headers, socket }: IncomingMessage): boolean {
  return [`127.0.0.1:${socket.localPort}`, `localhost:${socket.localPort}`].includes(headers.host ?? '')
}

function refuseHost({ socket }: IncomingMessage, response: ServerResponse): void {
  response.writeHead(421, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' })
  response.end(`The lesson is at http://127.0.0.1:${socket.localPort}/learn\n`)
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}
