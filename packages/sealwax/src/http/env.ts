import type { Auth } from '@sealwax/guard'
import type { Client } from '../engine/context.ts'

/** What the platform may tell beside the request. */
export interface Platform {
  /** The address of the other end of the connection. */
  readonly address?: string | undefined
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
