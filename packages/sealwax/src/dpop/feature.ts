import type { Feature } from '../feature.ts'
import { dpopErrors } from './errors.ts'
import { dpopOptions } from './options.ts'
import { usedProofs } from './queries.ts'
import { purgeProofs } from './verifiers.ts'

const MINUTE = 60_000

/** Proofs of possession (DPoP, RFC 9449): tokens that are useless without the client's key. */
export const dpopFeature = {
  name: 'dpop',
  options: dpopOptions,
  errors: dpopErrors,
  queries: { usedProofs },
  tables: { used_proofs: 'hash' },
  jobs: [{ name: 'purge used proofs', period: MINUTE, run: purgeProofs }],
} as const satisfies Feature

// The types that these files add to are complete only together with them, in declaration files too.
export type {} from './contract.ts'
export type {} from './errors.ts'
export type {} from './options.ts'
export type {} from './tables.ts'
