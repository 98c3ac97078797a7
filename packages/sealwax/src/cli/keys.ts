import type { AuthServer } from '../auth-server.ts'
import type { KeyRevocation, SigningKeyInfo } from '../engine/key-rotation.ts'
import { JWKS_LIFETIME } from '../engine/key-schedule.ts'
import { AuthError } from '../errors.ts'
import type { Environment } from './env.ts'
import { withAuth } from './store.ts'

/** `sealwax keys list`: one JSON line a key, oldest first. */
export async function keysList(environment: Environment): Promise<void> {
  await withAuth(environment, async (auth) => print(await auth.keys.list()))
}

/** `sealwax keys rotate`: prints when the next key signs. */
export async function keysRotate(environment: Environment): Promise<void> {
  await withAuth(environment, async (auth) => print(await auth.keys.rotate()))
}

export interface RevokeFlags {
  readonly now?: boolean
  readonly endSessions?: boolean
  readonly all?: boolean
  readonly dryRun?: boolean
}

/** `sealwax keys revoke KID`: an emergency, so it wants to be told `--now`; `--dry-run` prints who is affected and when. */
export async function keysRevoke(environment: Environment, kid: string, flags: RevokeFlags): Promise<void> {
  const { now = false, endSessions = false, all = false, dryRun = false } = flags
  if (!now && !dryRun) {
    throw new AuthError('config_invalid', 'Say --dry-run to see who is affected, and --now to do it')
  }
  await withAuth(environment, async (auth: AuthServer) => {
    const revocation = await auth.keys.revoke(kid, { endSessions, all, dryRun })
    for (const line of storyOf(revocation, dryRun)) console.log(line)
  })
}

function print(keys: readonly SigningKeyInfo[]): void {
  for (const key of keys) console.log(JSON.stringify(key))
}

/** What happens, or would, to whom and when. */
function storyOf({ revoked, signing, sessions, subjects, endsSessions }: KeyRevocation, dryRun: boolean): string[] {
  const minutes = JWKS_LIFETIME / 60_000
  return [
    dryRun ? 'Nothing was changed. With --now:' : 'Done.',
    `revoked: ${revoked.join(', ')}`,
    `signs from now on: ${signing ?? 'a new key'}`,
    `affected: ${count(sessions, 'session')} of ${count(subjects, 'user')}, ${
      endsSessions ? 'which end: these users must log in again' : 'which renew silently at their next request'
    }`,
    'guards that follow the revocation feed: refuse its tokens at once',
    `verifiers that only read the JWK Set: once their copy is renewed, at most ${minutes} minutes or as long as they keep one by themselves`,
  ]
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
