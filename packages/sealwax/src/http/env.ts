import type { Auth } from '@sealwax/guard'
import type { Client } from '../engine/context.ts'

/** What the platform may tell beside the request. */
export interface Platform {
  /** The address of the other end of the connection. All callers without one share the places of a single network. */
  readonly address?: string | undefined
  /** The response of node:http that carries the reply: it tells when that has been sent, and can be cut off. */
  readonly response?: {
    readonly destroyed: boolean
    once(event: 'close', listener: () => void): unknown
    destroy(): unknown
  }
  /** What a `Request` does not show; `toNodeHandler` tells it. */
  readonly sent?: Sent | undefined
}

/** A request as it was sent, before it was made a `Request`. */
interface Sent {
  /** The path, where the URL of the request has another: URLs are normalised. */
  readonly path: string | undefined
  /** Whether a proxy says that it forwarded the request. */
  readonly forwarded: boolean
  /** Why it is refused with 400, if it is. */
  readonly malformed: string | undefined
}

/** What a request carries from handler to handler. */
export interface HttpEnv {
  Bindings: Platform
  Variables: {
    requestId: string
    auth: Auth
    /** Who calls, once somebody has asked. */
    client: Client
    /** The code of the refusal, for the log line. */
    code: string
  }
}
