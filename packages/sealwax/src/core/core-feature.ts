import { auditApi } from './audit-api.ts'
import { audit } from './audit-queries.ts'
import type { CoreFeature } from './context.ts'
import { coreOptions } from './core-options.ts'
import { metadata } from './metadata-queries.ts'
import { purgeAudit } from './purge.ts'
import { rewrapSecrets } from './secret-rotation.ts'

const MINUTE = 60_000

/** What belongs to no other feature: the audit log, values of the installation, secret rotation. */
export const core = {
  name: 'core',
  options: coreOptions,
  queries: { audit, metadata },
  tables: { audit_events: 'id', metadata: 'name' },
  jobs: [
    { name: 'rewrap secrets', period: MINUTE, first: true, run: rewrapSecrets },
    { name: 'purge audit', period: 60 * MINUTE, run: purgeAudit },
  ],
  api: auditApi,
} as const satisfies CoreFeature

// The types that these files add to are complete only together with them, in declaration files too.
export type {} from './audit-contract.ts'
export type {} from './metadata-contract.ts'
