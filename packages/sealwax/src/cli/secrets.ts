import { forgetLostSecret } from '../auth.ts'
import type { Environment } from './env.ts'
import { storeOf } from './store.ts'

/** `sealwax secrets forget FINGERPRINT`: when a secret is lost for good, so that the server starts again without it. */
export async function secretsForget({ auth, databaseUrl }: Environment, fingerprint: string): Promise<void> {
  const { keys, sessions } = await forgetLostSecret({ ...auth, store: storeOf(databaseUrl) }, fingerprint)
  console.log(`Signing keys revoked: ${keys}. Sessions ended: ${sessions}; their users must log in again.`)
}
