import { storeOf } from '../src/cli/store.ts'
import { type AuthOptions, type AuthServer, createAuth } from '../src/index.ts'
import { SECRET } from '../test/server.ts'
import { AUDIENCE, ISSUER } from './servers.ts'

export type OpenAuth = AuthServer & AsyncDisposable

/** An auth server in this process, on a database that server processes may share. */
export async function openAuth(databaseUrl: string, options: Partial<AuthOptions> = {}): Promise<OpenAuth> {
  const store = await storeOf(databaseUrl)
  const auth = await createAuth({ issuer: ISSUER, audience: AUDIENCE, secret: SECRET, store, ...options })
  return Object.assign(auth, { [Symbol.asyncDispose]: () => auth.close() })
}

/** The number of audit events of a type, at most 500. */
export async function audited(auth: AuthServer, type: string): Promise<number> {
  return (await auth.audit.list({ type, limit: 500 })).data.length
}
