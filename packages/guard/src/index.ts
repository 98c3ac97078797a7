export type { ProtectOptions } from './adapter.ts'
export type { ClaimSchema } from './claim-schema.ts'
export type { ClaimMapping, ClaimSource } from './claims.ts'
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
export type { KeySource } from './keys/issuer.ts'
export type { RemoteKeysOptions, TrustedIssuer } from './options.ts'
export type { CookieRule } from './request/cookies.ts'
export type { GuardRequest, HeaderReader } from './request/request.ts'
export type { TokenHeader, TokenPlace } from './request/token-place.ts'
export type { FeedClient } from './revocations/client-token.ts'
export type { FeedOptions, FeedReport } from './revocations/feed.ts'
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
} from './revocations/list.ts'
