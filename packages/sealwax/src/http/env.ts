import type { Auth } from '@sealwax/guard'
import type { RequestOrigin } from '../core/request-origin.ts'

/** What the platform knows about a request. */
export interface Platform {
  /** The remote address of the connection. Callers without one count as one network. */
  readonly address?: string | undefined
  /** The node:http response: shows when the reply has been sent, and can be aborted. */
  readonly response?: {
    readonly destroyed: boolean
    once(event: 'close', listener: () => void): unknown
    destroy(): unknown
  }
  /** What a `Request` does not contain; set by `toNodeHandler`. */
  readonly sent?: Sent | undefined
}

/** A request as sent, before its conversion to a `Request`. */
interface Sent {
  /** The path as sent, if the normalized URL of the request has another. */
  readonly path: string | undefined
  /** Whether a header shows that a proxy forwarded the request. */
  readonly forwarded: boolean
  /** Why the request is refused with 400, if it is. */
  readonly malformed: string | undefined
  /** Whether it has waited for `ServerCore.admit`. */
  readonly admitted: boolean
}

/** The values that handlers share for a request. */
export interface HttpEnv {
  Bindings: Platform
  Variables: {
    requestId: string
    auth: Auth
    /** Where the request came from, once it has been read. */
    origin: RequestOrigin
    /** The error code, for the log. */
    code: string
  }
}
