import { createGuard, createRevocationList, subjectKey } from '@sealwax/guard'
import { answer } from './child.ts'
import { AUDIENCE, claimsOf, ISSUER, makeKey, tokenOf } from './tokens.ts'

// Runs in a separate process with --expose-gc and measures the memory of a cache and of a
// revocation list.

function bytes(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/**
 * The memory in bytes of a guard's cache after a number of different tokens. `padding` is the
 * length of an additional claim.
 */
function cacheMemory({ tokens, padding }: { tokens: number; padding: number }): { bytes: number; length: number } {
  const key = makeKey('HS256')
  const guard = createGuard({ issuer: ISSUER, audience: AUDIENCE, keys: key.oursPublic, revocation: null })
  const present = (index: number) => {
    const token = tokenOf(key.ours, index, { ...claimsOf(index), ...(padding > 0 && { note: 'n'.repeat(padding) }) })
    // As it comes from a socket: a new string that starts with the scheme.
    const authorization = Buffer.from(`Bearer ${token}`).toString('latin1')
    void guard.authenticate({ headers: { authorization } })
    return token.length
  }
  for (let index = 0; index < 100; index++) present(index)
  void guard.close()
  const before = bytes()
  let length = 0
  for (let index = 0; index < tokens; index++) length = present(1000 + index)
  const after = bytes()
  void guard.authenticate({ headers: { authorization: `Bearer ${tokenOf(key.ours, 1)}` } })
  return { bytes: after - before, length }
}

/** The memory of a list of live revocations in bytes, and the time of a check in microseconds. */
function revocations({ kind, entries, rounds }: { kind: 'sid' | 'ver'; entries: number; rounds: number }) {
  const before = bytes()
  const peak = process.memoryUsage().rss
  const list = createRevocationList()
  const until = Math.floor(Date.now() / 1000) + 3600
  const name = Buffer.alloc(16)
  const nameOf = (index: number) => {
    // Distributed over all bits, like random identifiers.
    name.writeBigUInt64BE(BigInt.asUintN(64, BigInt(index + 1) * 0x9e3779b97f4a7c15n), 0)
    name.writeBigUInt64BE(BigInt.asUintN(64, BigInt(index + 1) * 0xc2b2ae3d27d4eb4fn), 8)
    return name.toString('base64url')
  }
  for (let index = 0; index < entries; index++) {
    if (kind === 'sid') list.add({ kind, sid: nameOf(index), until })
    else list.add({ kind, subject: nameOf(index), ver: 2, until })
  }
  const weight = bytes() - before
  const grown = process.memoryUsage().rss - peak
  const tokens = Array.from({ length: 20_000 }, (_, index) => {
    // Every other token is revoked.
    const id = nameOf(index % 2 === 0 ? (index * 7919) % entries : entries + index)
    const payload = { iss: ISSUER, sub: `u${index}`, sid: kind === 'sid' ? id : nameOf(2 * entries + index), ver: 1 }
    return {
      payload,
      header: { alg: 'ES256', kid: 'k1' },
      subjectKey: kind === 'ver' ? id : subjectKey(ISSUER, `u${index}`),
    }
  })
  let least = Number.POSITIVE_INFINITY
  let refused = 0
  for (let round = 0; round < rounds; round++) {
    refused = 0
    const start = process.hrtime.bigint()
    for (const token of tokens) if (list.check(token) !== undefined) refused++
    least = Math.min(least, Number(process.hrtime.bigint() - start) / tokens.length / 1000)
  }
  if (refused !== tokens.length / 2) throw new Error(`the list refuses ${refused} of ${tokens.length} tokens, not half`)
  return { bytes: weight, resident: grown, check: least, size: list.size }
}

answer({ cacheMemory, revocations })
