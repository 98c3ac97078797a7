import { writeFile } from 'node:fs/promises'
import { type Command, print, type StandaloneCommand } from '../cli/command.ts'
import { AuthError } from '../errors.ts'
import { generateKeyText } from './generated-key.ts'
import { ALGORITHMS } from './options.ts'
import { type KeyRevocation, listKeys, revokeKey, rotateKeys } from './rotation.ts'
import { keyBody } from './routes.ts'
import { JWKS_LIFETIME } from './schedule.ts'

const list: Command = {
  name: 'list',
  description: 'list all keys, one JSON line each',
  async run(context) {
    for (const key of await listKeys(context)) print(keyBody(key))
  },
}

const rotate: Command = {
  name: 'rotate',
  description: 'make the next key sign as soon as verifiers can know it',
  async run(context) {
    for (const key of await rotateKeys(context)) print(keyBody(key))
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

const generate: StandaloneCommand<{ alg: string; pem?: boolean; jwk?: boolean; kid?: string; public?: string }> = {
  name: 'generate',
  description: 'print a new private key for a program of your own; does not need settings or a database',
  options: [
    { flags: '--alg <alg>', description: `one of ${ALGORITHMS.join(' ')}`, default: 'ES256' },
    { flags: '--jwk', description: 'as one line of JSON; this is the default' },
    { flags: '--pem', description: 'as PKCS #8 in PEM' },
    { flags: '--kid <kid>', description: 'the key id in the JWK (default: the RFC 7638 thumbprint)' },
    { flags: '--public <file>', description: 'also write the public key, in the same format, to a new file' },
  ],
  standalone: true,
  async run({ alg, pem = false, jwk = false, kid, public: file }) {
    if (pem && jwk) throw new AuthError('config_invalid', 'Use --pem or --jwk, not both')
    if (pem && kid !== undefined) {
      throw new AuthError('config_invalid', 'A PEM has no key id: leave out --kid, or use --jwk')
    }
    const { privateText, publicText } = await generateKeyText(alg, pem ? 'pem' : 'jwk', kid)
    if (file !== undefined) await writePublicKey(file, publicText)
    process.stdout.write(privateText)
  },
}

/** Does not overwrite: the file may have the public key of a key that is in use. */
async function writePublicKey(file: string, text: string | undefined): Promise<void> {
  if (text === undefined) throw new AuthError('config_invalid', 'A secret has no public key: leave out --public')
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (error) {
    throw new AuthError('config_invalid', `The public key could not be written: ${(error as Error).message}`)
  }
}

/** `sealwax keys`. */
export const keyCommands = {
  name: 'keys',
  description: 'manage the signing keys, which rotate by themselves',
  commands: [list, rotate, revoke, generate],
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
