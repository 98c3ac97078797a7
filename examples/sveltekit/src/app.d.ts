import type { Auth } from '@sealwax/guard'
import type { AuthServer } from 'sealwax'

declare global {
  namespace App {
    interface Locals {
      auth: AuthServer
      /** Undefined if nobody is logged in. */
      user: Auth | undefined
    }
  }
}
