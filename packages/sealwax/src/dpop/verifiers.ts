import type { GuardRequest } from '@sealwax/guard'
import { createDpopVerifier, type DpopVerifier, type ProofReplays } from '@sealwax/guard/dpop'
import { type Context, perContext } from '../core/context.ts'
import type { Config } from '../core/options.ts'
import { publicBase } from '../core/origins.ts'
import { purgeInPages } from '../core/purge.ts'

/** What checks the proofs of requests: those to our own routes, and those to the application's. */
interface Verifiers {
  readonly own: DpopVerifier
  readonly application: DpopVerifier
}

/** Returns the verifiers of a server. Both remember proofs in the store, for all processes. */
export const dpopVerifiers = perContext((context: Context): Verifiers => {
  const { config, secrets } = context
  const replays: ProofReplays = {
    add: (key, until) => context.store.transaction(({ usedProofs }) => usedProofs.insert(key, until)),
  }
  const common = { replays, nonceSecret: secrets.derived('dpop nonces')[0] as Buffer }
  const own = createDpopVerifier({ ...common, baseUrl: publicBase(config) })
  return {
    own: { ...own, read: (request, proof) => own.read(belowBase(request, config), proof) },
    application: createDpopVerifier({ ...common, baseUrl: config.apiUrl }),
  }
})

/** The path of a request contains the base path, which a proxy may have put there. */
function belowBase({ headers, method, url = '' }: GuardRequest, { basePath }: Config): GuardRequest {
  const path = url.replace(/^https?:\/\/[^/?#]*/, '')
  return { headers, method, url: path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : path }
}

/** Deletes the proofs that have expired: they are refused because of their age. */
export async function purgeProofs({ store, now }: Context, signal: AbortSignal): Promise<void> {
  await purgeInPages(signal, (limit) => store.transaction(({ usedProofs }) => usedProofs.purge(now(), limit)))
}
