export type { FeedClient } from './client-token.ts'
export type { CookieRule } from './cookies.ts'
export {
  GUARD_ERRORS,
  GuardError,
  type GuardErrorCode,
  type GuardErrorOptions,
  type GuardErrorStatus,
  type Problem,
  type RefusalAnswer,
  refusalAnswer,
} from './errors.ts'
export { type Auth, type AuthFor, createGuard, type Guard, type GuardOptions, type Requirement } from './guard.ts'
export type { KeySource } from './issuer.ts'
export type { GuardRequest, HeaderReader } from './request.ts'
export type { FeedOptions, FeedReport } from './revocation-feed.ts'
export {
  createRevocationList,
  type RevocableToken,
  type Revocation,
  type RevocationAnswer,
  type RevocationCheck,
  type RevocationList,
  type RevocationListOptions,
  type RevocationVerdict,
  subjectKey,
} from './revocations.ts'
export type { TrustedIssuer } from './trusted-issuers.ts'
