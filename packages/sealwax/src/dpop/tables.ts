import type {} from '../core/tables.ts'

declare module '../core/tables.ts' {
  interface Tables {
    used_proofs: { hash: string; until: number }
  }
}
