import { browserAlgorithm } from './algorithms.ts'
import type { Finding } from './finding.ts'

/** Secrets of tutorials and templates, which are tried first. */
const WELL_KNOWN = new Set(
  [
    'secret secret123 secretkey secret-key secret_key mysecret mysecretkey my-secret my-secret-key my_secret_key',
    'supersecret super-secret super_secret supersecretkey topsecret top-secret shhhhh shhhhhhared-secret jwtsecret jwt-secret',
    'jwt_secret jwt key private privatekey password password123 passw0rd changeme change-me change_me changeit default test',
    'testing test123 123456 12345678 1234567890 qwerty admin root example dev development your-secret yoursecret your_secret',
    'your-256-bit-secret your-384-bit-secret your-512-bit-secret your_jwt_secret your-jwt-secret your-secret-key',
    'your_secret_key yoursecretkey a-string-secret-at-least-256-bits-long a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long',
    'keyboardcat thisisasecret this-is-a-secret iamasecret accesstokensecret access_token_secret refresh_token_secret',
  ].flatMap((line) => line.split(' ')),
)
const WITH_SPACES = ['keyboard cat', 'this is a secret', 'my secret', 'super secret', 'top secret', 'change me']

/** Judges a secret: its length (RFC 7518 §3.2), and whether it is one that everybody tries. */
export function judgeSecret(octets: Uint8Array, alg: unknown): Finding[] {
  const findings: Finding[] = []
  const needed = browserAlgorithm(alg)?.secretLength
  const text = new TextDecoder().decode(octets)
  const plain = text.trim().toLowerCase()
  if (WELL_KNOWN.has(plain) || WITH_SPACES.includes(plain)) {
    const message =
      'This secret is in every list of common ones. Anyone can find it out from one token, and then sign tokens for any user.'
    findings.push({ kind: 'mistake', message })
  }
  if (needed !== undefined && octets.length < needed) {
    const message = `The secret is too short: ${octets.length} octets, and ${alg} needs at least ${needed} (RFC 7518, section 3.2). A short secret can be guessed from one token, without asking any server.`
    findings.push({ kind: 'mistake', message })
  }
  if (octets.length > 1 && octets.every((octet) => octet === octets[0])) {
    findings.push({ kind: 'mistake', message: 'All characters of the secret are the same.' })
  }
  return findings
}
