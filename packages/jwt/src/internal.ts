// For the other packages of Sealwax: what they would otherwise each have a copy of. Not part of the
// API; it may change in any release.
export { readBody } from './body.ts'
export { isLoopback } from './loopback.ts'
export { describeValue } from './options.ts'
export { spellDuration } from './spell.ts'
