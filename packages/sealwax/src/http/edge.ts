import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Guard } from '@sealwax/guard'
import type { Context } from '../core/context.ts'
import type { Administrators } from './administrators.ts'
import type { RefreshCookie } from './cookies.ts'
import type { HttpEnv } from './env.ts'
import type { ReadOrigin } from './request-origin.ts'

/** What the routes of a feature are given. */
export interface Edge {
  /** Below the base path. */
  readonly app: OpenAPIHono<HttpEnv>
  /** At the root, for what a standard puts there whatever the base path is. */
  readonly root: OpenAPIHono<HttpEnv>
  readonly context: Context
  /** Accepts access tokens of this server. */
  readonly guard: Guard
  readonly administrators: Administrators
  /** The cookie that holds a refresh token. */
  readonly cookie: RefreshCookie
  readonly requestOrigin: ReadOrigin
  /** Says of a route that it hashes a password: in a flood its requests begin a few at a time. */
  readonly admit: (path: string) => void
}

/** A feature that has routes. */
export interface RoutedFeature {
  readonly name: string
  /** Each adds some routes. */
  readonly routes?: readonly ((edge: Edge) => void)[]
}
