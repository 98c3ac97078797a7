// The entry `@sealwax/guard/dpop`.
export type { ProofReplays } from './replays.ts'
export {
  createDpopVerifier,
  type DpopOptions,
  type DpopVerifier,
  type ProofContext,
  type ProofResult,
} from './verifier.ts'
