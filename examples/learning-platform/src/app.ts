import { join } from 'node:path'
import express, { type Express } from 'express'
import { type AuthOptions, type AuthServer, createAuth } from 'sealwax'
import { protect } from 'sealwax/express'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'
import { courseRoutes } from './course-routes.ts'
import { openCourses } from './courses.ts'
import { answerError, answerUnknown } from './problems.ts'
import { secretIn } from './secret.ts'

/** The options of the example. All others keep the defaults of Sealwax. */
export interface PlatformOptions extends Pick<AuthOptions, 'issuer' | 'accessTtl' | 'refreshGrace'> {
  /** An existing directory for both databases and the secret file. */
  readonly dataDir: string
}

export interface Platform {
  readonly app: Express
  readonly auth: AuthServer
  close(): Promise<void>
}

/**
 * The whole integration: an auth server, its routes at the root, and `protect` in front of each
 * route of the application.
 */
export async function openPlatform({ dataDir, ...options }: PlatformOptions): Promise<Platform> {
  const store = sqliteStore(join(dataDir, 'auth.db'))
  const auth = await createAuth({ ...options, audience: 'learning-platform', secret: secretIn(dataDir), store })
  const courses = openCourses(join(dataDir, 'platform.db'))

  const app = express().disable('x-powered-by')
  app.use(toNodeHandler(auth)) // /login, /refresh, /logout …; every other path goes on to the routes below
  app.get('/profile', protect(auth.guard), (_req, res) => {
    res.json({ user_id: res.locals.auth.subject, message: 'Protected profile' })
  })
  app.use(courseRoutes(auth.guard, courses))
  app.use(answerUnknown, answerError)

  const close = async () => {
    await auth.close()
    courses.close()
  }
  return { app, auth, close }
}
