import type { Auth } from '../guard.ts'

declare global {
  namespace Express {
    interface Request {
      /** Who sent the request; set by `protect` of `@sealwax/guard/express`. */
      auth?: Auth
    }
  }
}
