import { forgetLostSecret } from '../create-auth.ts'
import type { Environment } from './settings.ts'
import { printWarnings, storeOf } from './store.ts'

/** `sealwax secrets forget FINGERPRINT`: lets the server start without a lost secret. */
export async function secretsForget(environment: Environment, fingerprint: string): Promise<void> {
  const { auth, databaseUrl } = environment
  printWarnings(environment)
  const store = await storeOf(databaseUrl)
  const { keys = 0, sessions = 0 } = await forgetLostSecret({ ...auth, store }, fingerprint)
  console.log(`Signing keys revoked: ${keys}. Sessions ended: ${sessions}; their users must log in again.`)
}
