import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Guard } from '@sealwax/guard'
import type { Context } from '../core/context.ts'
import type { Administrators } from './administrators.ts'
import type { RefreshCookie } from './cookies.ts'
import type { HttpEnv } from './env.ts'
import type { ReadOrigin } from './request-origin.ts'

/** What the routes of a feature get. */
export interface Edge {
  /** Below the base path. */
  readonly app: OpenAPIHono<HttpEnv>
  /** At the root, for paths that a standard defines there, independent of the base path. */
  readonly root: OpenAPIHono<HttpEnv>
  readonly context: Context
  /** Accepts access tokens of this server. */
  readonly guard: Guard
  readonly administrators: Administrators
  /** The cookie that contains a refresh token. */
  readonly cookie: RefreshCookie
  readonly requestOrigin: ReadOrigin
}

/** A feature that has routes. */
export interface RoutedFeature {
  readonly name: string
  /** Each adds some routes. */
  readonly routes?: readonly ((edge: Edge) => void)[]
}
