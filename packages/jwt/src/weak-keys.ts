import { JwtError } from './errors.ts'

// Checks for public keys that OpenSSL imports although their signatures prove nothing.

/**
 * The time to verify grows with the square of the modulus length, and longer keys are not in common
 * use.
 */
const maxModulusBits = 4096
const minModulusBits = 2048

function weak(message: string): JwtError {
  return new JwtError('ERR_JWT_KEY', message)
}

/**
 * Refuses an RSA public key with a modulus outside 2048 to 4096 bits (RFC 7518 §3.3), an exponent
 * that is even, below 3 or above 32 bits, or the fingerprint of the ROCA generator.
 *
 * @throws {JwtError} `ERR_JWT_KEY`
 */
export function checkRsaPublicKey(n: Uint8Array, e: Uint8Array): void {
  const bits = n.length * 8 - (Math.clz32(n[0] ?? 0) - 24)
  if (bits < minModulusBits || bits > maxModulusBits) {
    throw weak(`an RSA key must have ${minModulusBits} to ${maxModulusBits} bits`)
  }
  const modulus = toBigInt(n)
  const exponent = e.length > 4 ? 0n : toBigInt(e)
  if (exponent < 3n || exponent % 2n === 0n)
    throw weak('the exponent of an RSA key must be odd, at least 3, and fit in 32 bits')
  if (modulus % 2n === 0n) throw weak('the RSA modulus is even')
  if (hasRocaFingerprint(modulus)) throw weak('the RSA key was made by the ROCA generator (CVE-2017-15361)')
}

const rocaPrimes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
]

/**
 * Whether the modulus is a power of 65537 modulo every small prime. This is true of every modulus
 * from the generator of CVE-2017-15361, and of one in many millions of others.
 */
function hasRocaFingerprint(modulus: bigint): boolean {
  return rocaPrimes.every((prime) => {
    const residue = Number(modulus % BigInt(prime))
    let power = 1
    do {
      if (power === residue) return true
      power = (power * 65537) % prime
    } while (power !== 1)
    return false
  })
}

const p25519 = 2n ** 255n - 19n

/** The y coordinates of the eight points whose order divides 8; orders 4, 1, 2, 8 and 8. */
const smallOrderY: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  p25519 - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
])

/**
 * Refuses an Ed25519 public key that is not reduced or lies in the small subgroup, where one
 * signature verifies for every message.
 *
 * @throws {JwtError} `ERR_JWT_KEY`
 */
export function checkEd25519Point(encoded: Uint8Array): void {
  // RFC 8032 §5.1.2: little-endian, the sign of x in the top bit
  const octets = Uint8Array.from(encoded).reverse()
  octets[0] = (octets[0] ?? 0) & 0x7f
  const y = toBigInt(octets)
  if (y >= p25519) throw weak('x of the Ed25519 key is not reduced')
  if (smallOrderY.has(y)) throw weak('the Ed25519 key is a point of small order')
}

function toBigInt(octets: Uint8Array): bigint {
  let hex = '0x0'
  for (const octet of octets) hex += octet.toString(16).padStart(2, '0')
  return BigInt(hex)
}
