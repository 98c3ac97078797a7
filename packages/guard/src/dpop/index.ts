// The entry `@sealwax/guard/dpop`.
export type { DpopOptions } from './options.ts'
export type { InvalidProof, NoProof, ProofResult, ReadProof } from './proof-result.ts'
export type { ProofReplays } from './replays.ts'
export { createDpopVerifier, type DpopVerifier, type ProofContext } from './verifier.ts'
