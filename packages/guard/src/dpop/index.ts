// The entry `@sealwax/guard/dpop`.
export type { ProofReplays } from './replays.ts'
export {
  createDpopVerifier,
  type DpopOptions,
  type DpopVerifier,
  type InvalidProof,
  type ProofContext,
  type ProofResult,
  type ReadProof,
} from './verifier.ts'
