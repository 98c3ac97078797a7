import { type GivenKeys, readKeys, readSecret } from '../token/keys.ts'
import type { Evidence } from '../token/verdict.ts'

/** Where the keys to check the signature with come from. */
export const KEY_SOURCES = ['server', 'public', 'secret'] as const

/** What the reader entered to check the signature with. */
export interface KeyEntry {
  readonly source: (typeof KEY_SOURCES)[number]
  /** The keys of this server, once they are fetched. */
  readonly fetched?: GivenKeys
  /** A public key in PEM, a JWK or a JWK Set. */
  readonly publicKey: string
  readonly secret: string
  readonly encoding: 'text' | 'base64' | 'hex'
}

/** Nothing entered yet. */
export const NO_KEY: KeyEntry = { source: 'server', publicKey: '', secret: '', encoding: 'text' }

/** Returns what to check the signature with, a fault, or undefined if nothing is entered. */
export function readEvidence(entry: KeyEntry): Evidence | { readonly fault: string } | undefined {
  const { source, fetched, publicKey, secret, encoding } = entry
  if (source === 'server') return fetched
  if (source === 'public') return publicKey.trim() === '' ? undefined : readKeys(publicKey)
  if (secret === '') return undefined
  const octets = readSecret(secret, encoding)
  return octets === undefined
    ? { fault: `The secret is not ${encoding === 'hex' ? 'hexadecimal' : 'base64'}.` }
    : { secret: octets }
}

/** Fetches the public keys of the server of this page. Nothing is sent with the request. */
export async function fetchServerKeys(): Promise<GivenKeys> {
  try {
    const reply = await fetch('./.well-known/jwks.json', { credentials: 'omit' })
    if (!reply.ok) return { fault: `The server replied ${reply.status}.` }
    const keys = readKeys(await reply.text())
    return 'fault' in keys
      ? { fault: 'This server publishes no keys. It signs with a secret, or has no key yet.' }
      : keys
  } catch {
    return { fault: 'The server cannot be reached.' }
  }
}
