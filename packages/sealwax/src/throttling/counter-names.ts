import { createHash } from 'node:crypto'
import { networksOf } from '../core/network.ts'
import type { CounterName } from './contract.ts'
import type { CounterKind, Nature } from './limits.ts'

/**
 * What is throttled, each with counters of its own: whoever guesses passwords does not stop the
 * owner from asking for a reset. Of guesses only wrong ones stay counted; a request sends a mail,
 * and each one counts.
 */
export const ACTIONS = {
  login: 'guess',
  code: 'guess',
  reset: 'request',
  'sign-up': 'request',
  registration: 'guess',
  invitation: 'guess',
} as const satisfies Record<string, Nature>

/** The name of something that is throttled. */
export type Action = keyof typeof ACTIONS

/** What is known about an attempt. */
export interface AttemptSource {
  readonly action: Action
  /** The address as it is stored, or as it was typed if it is not an address. */
  readonly account: string
  /** The address of the client; undefined for a call by the application that does not tell it. */
  readonly ip?: string | undefined
  /** The id of a device that has logged in to this account before. */
  readonly device?: string | undefined
}

/** The counters of an attempt. */
export type CounterNames = Readonly<Partial<Record<CounterKind, CounterName>>>

/**
 * Returns the counters of an attempt. A known device has only its own, so that nobody else can stop
 * it. Calls without an address count as one network and by account only.
 */
export function namesOf({ action, account, ip, device }: AttemptSource): CounterNames {
  const owner = accountHash(account)
  const name = (kind: CounterKind, of: string, ...parts: string[]): CounterName => ({
    key: `${action}:${kind}:${hash(of, ...parts)}`,
    account: kind === 'address' || kind === 'network' ? null : owner,
  })
  if (device !== undefined) return { device: name('device', owner, device) }
  const { site, subnet } = networksOf(ip)
  const ofAccount = { account: name('account', owner), caller: name('caller', owner, site) }
  if (ip === undefined) return ofAccount
  // An IPv6 customer has a whole /64.
  const address = ip.includes(':') ? subnet : ip
  return { ...ofAccount, address: name('address', address), network: name('network', site) }
}

/** Returns what counters store instead of the account. All spellings with capitals are equal. */
export function accountHash(account: string): string {
  return hash(account.trim().toLowerCase())
}

function hash(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('base64url').slice(0, 32)
}
