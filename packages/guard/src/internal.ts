// Functions that the other packages of Sealwax share. Not part of the API; they may change in any
// release.
export { discoverKeys } from './keys/issuer.ts'
export { hintFor } from './option-hint.ts'
