import { defineErrors } from '../errors.ts'

declare module '../errors.ts' {
  interface ErrorCodes extends Readonly<typeof dpopErrors> {}
}

export const dpopErrors = defineErrors({
  invalid_dpop_proof: [400, 'Invalid DPoP proof'],
  use_dpop_nonce: [400, 'DPoP nonce required'],
})
