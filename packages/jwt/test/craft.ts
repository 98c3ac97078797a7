import { createHmac } from 'node:crypto'
import type { Jwk } from '@sealwax/jwt'
import { importKey } from '@sealwax/jwt'

/** 2027-01-15T08:00:00Z, the time of every test with a clock. */
export const now = 1_800_000_000
export const currentDate = new Date(now * 1000)
export const issuer = 'https://auth.example.com'
export const audience = 'https://api.example.com'

export const secret = Buffer.from('7dd01a27c4f1c3a2b5e9f80613bd42956e8f07a1b2c3d4e5f60718293a4b5c6d', 'hex')
export const hs256 = importKey(secret, { alg: 'HS256', kid: 'hs-1' })

/** A valid access token's claims at {@link now}. */
export const claims = {
  iss: issuer,
  aud: audience,
  sub: 'usr_1',
  client_id: 'web',
  jti: 'tok_1',
  iat: now - 60,
  exp: now + 840,
  scope: 'read write',
}

export const header = { alg: 'HS256', kid: 'hs-1', typ: 'at+jwt' }

export function base64url(value: string | Uint8Array): string {
  return Buffer.from(value).toString('base64url')
}

/**
 * A token with a valid signature of {@link hs256} over JSON values, or over the exact string or
 * octets of a segment.
 */
export function craft(payload: object | string, head: object | string = header): string {
  const segment = (value: object | string) =>
    base64url(typeof value === 'string' ? value : value instanceof Uint8Array ? value : JSON.stringify(value))
  return seal(`${segment(head)}.${segment(payload)}`)
}

/** Adds a valid signature to a signing input. */
export function seal(input: string): string {
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

/** An RSA private key of 2048 bits, only for tests. */
export function rsaJwk(): Jwk & { d: string } {
  return { ...testRsaKey }
}

/** Created for these tests and not used elsewhere. */
const testRsaKey = {
  kty: 'RSA',
  n: 'zsivAacJ5ocVQZsUog784O-Hr5bRjoSr_hymCf6Zxm9CaIj7anY7-a2K2RGz6fEUl6b8lOXsOwK915KX02-A5rtToKRw8a9VCafEF61SGO7XjMAmrsVeL3uxeOnJyKIWdRU1SVL-8YOy5h8ZAKiMAsOusgLmKbfmaAJ7y-gwVAkZkvob4hRnwakiWEmLjIf1WvkU9FJlN-QFNvmuVGTIP5ZJsQ-ZXb0xO0kxI1MFfVVry15ytRhobAkBY-oLnLYrEQC28d7ufPBgNGnam9qFRDACjlmP-A39U4rQM3y70PGJQ3o2E3wLofREMoDizLw6sbECHBnkokmz-MR9PICPSw',
  e: 'AQAB',
  d: 'AwQjpDV1LCeRi03vI3gA7Pvc33G48Ozg6aTk52Wzzl2q8c6vaUTFOsEpxPOAgocfVSDzoTZexRgnNuDTcWRvVGUaGdBlXjSJAID7BZrRqatL53G-WiFCbqcEccCzPCMFHUQ6JBtNKkDQ4Uf8spbVER_TtyUjiZj1CAt-XzP3Bsh1VX5uDTJHP-abcP4v0jffYFA-X8_w4YOygmhuH7NX3PTo3nyptQU5eDwv9u9lrkCJQvl_bsr0ohoKr4okVeRGa4x51WtK8WQUWXBaucxaOLLKE8vhEXuJ5WuChE-Ekm-9EOpLfz06zeDVvx4_NrYuKgscoU9BA94JZyEMZh3EFQ',
  p: '8ZjOc34R6srVfo7wIec_NUlHjwOO60H7r1ZGUlja9aLKF4eRd6sr_9OhFpoKIb8eFnou9nMESQBs9W1DEx_k39De2Nc7FK1xlWwGv1iu-tBWINoxnf5lijDHJkkeCcAia-8jDo6IAn996Q23xNKr-RjS9ZNzYQLBKF-uvGeNL90',
  q: '2xyR44WlNjJ9RwrtMZrOoE3IclGMEOreUyIeNDeXor-ickB--oydaz3u3WMaPeoKFxG-E6RG97Z9cLZA7uA9ADyLeHtly71uhpV4H4aFRLvZSpUywD0_3fsd0LfrCU4SXtyTCB607_1agmiPfSwrwiPIbN45qUFUXcJloJz5XUc',
  dp: 'RXaU7VnzFtno1nGMk4LkhpKiM3lnbzbSgZBBuc14byW2C1vcNFcP2IdlipURkrBbm0TYGd3p_n9T1KDspyQFb2Cjoh8ICqLvxHGB4yRBczXRfbKej3mkgj4SFGzzaQRIIVZpcvcCHg3ACvD5xGp6La24ggk6JEthdBVGrT7stjU',
  dq: 'Kn89EHrwUzWxtKC65n8XCmJruTh1ySY0nr0kTI5nu6odcLlvp1q0gYNOm-PHyDBnapgHXLnlBdCAPecraulVC4Gyr1iHot-H21SMKtklafJhL6UGZeC7TWuSGdRCItjgmUOAxPdnspBaCKcNBYMWrZ3RFsR3PIuuOE0m9uLbPqs',
  qi: 'LqA9cMziTa_YALRvXR4LzSURa4HTds1yJHkG6jvwdoxd43szZKB4mjFix3S1y1gfc_HQh8fzDwtrHJy-_ZW1eQwbuDIowFnuY-66OaGn4r3LCl6_QiJqmmMimOggVAGapxEfcplTJC9djmrVvHutMTkMM3RBJHLNHv6TWlfQV7o',
}
