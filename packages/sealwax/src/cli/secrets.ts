import { forgetLostSecret } from '../auth.ts'
import type { Environment } from './env.ts'
import { printWarnings, storeOf } from './store.ts'

/** `sealwax secrets forget FINGERPRINT`: when a secret is lost for good, so that the server starts again without it. */
export async function secretsForget(environment: Environment, fingerprint: string): Promise<void> {
  const { auth, databaseUrl } = environment
  printWarnings(environment)
  const { keys, sessions } = await forgetLostSecret({ ...auth, store: storeOf(databaseUrl) }, fingerprint)
  console.log(`Signing keys revoked: ${keys}. Sessions ended: ${sessions}; their users must log in again.`)
}
