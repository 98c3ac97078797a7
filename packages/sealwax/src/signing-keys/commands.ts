import { type Command, print } from '../cli/command.ts'
import { AuthError } from '../errors.ts'
import { type KeyRevocation, listKeys, revokeKey, rotateKeys } from './rotation.ts'
import { JWKS_LIFETIME } from './schedule.ts'

const list: Command = {
  name: 'list',
  description: 'list all keys, one JSON line each',
  async run(context) {
    for (const key of await listKeys(context)) print(key)
  },
}

const rotate: Command = {
  name: 'rotate',
  description: 'make the next key sign as soon as verifiers can know it',
  async run(context) {
    for (const key of await rotateKeys(context)) print(key)
  },
}

const revoke: Command<{ kid: string; now?: boolean; dryRun?: boolean; endSessions?: boolean; all?: boolean }> = {
  name: 'revoke',
  description: 'revoke a key in an emergency',
  arguments: [['<kid>', 'the key id, as `keys list` shows it']],
  options: [
    { flags: '--now', description: 'revoke it' },
    { flags: '--dry-run', description: 'print who is affected and when, and change nothing' },
    {
      flags: '--end-sessions',
      description: 'end the sessions that may hold its tokens, instead of letting them renew',
    },
    { flags: '--all', description: 'revoke all keys, including the standby' },
  ],
  // It cannot be undone, so --now is required.
  async run(context, { kid, now = false, dryRun = false, endSessions = false, all = false }) {
    if (!now && !dryRun) {
      throw new AuthError('config_invalid', 'Use --dry-run to see who is affected, or --now to revoke the key')
    }
    const revocation = await revokeKey(context, kid, { endSessions, all, dryRun })
    for (const line of describeRevocation(revocation, dryRun)) console.log(line)
  },
}

/** `sealwax keys`. */
export const keyCommands = {
  name: 'keys',
  description: 'manage the signing keys, which rotate by themselves',
  commands: [list, rotate, revoke],
} as const

/** Describes what happens, or would happen, to whom and when. */
function describeRevocation(
  { revoked, signing, sessions, subjects, endsSessions }: KeyRevocation,
  dryRun: boolean,
): string[] {
  const minutes = JWKS_LIFETIME / 60_000
  return [
    dryRun ? 'Nothing was changed. With --now:' : 'Done.',
    `revoked: ${revoked.join(', ')}`,
    `signs from now on: ${signing ?? 'a new key'}`,
    `affected: ${count(sessions, 'session')} of ${count(subjects, 'user')}, ${
      endsSessions ? 'which end: these users must log in again' : 'which renew silently at their next request'
    }`,
    'guards that follow the revocation feed: refuse tokens of the key at once',
    `verifiers that only read the JWK Set: when they reload it, within ${minutes} minutes or after their own cache time`,
  ]
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
