// Functions that the other packages of Sealwax share. Not part of the API; they may change in any
// release.
export { readBody } from './body.ts'
export { hasPrivateMember } from './jwk.ts'
export { isHttpOrigins, isLoopback, isSecureUrl } from './loopback.ts'
export { describeValue } from './options.ts'
export { spellDuration } from './spell.ts'
