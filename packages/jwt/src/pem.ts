import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { refuseKey } from './jwk.ts'

/** The body is the part between the first and the last line (RFC 7468 §3). */
interface Block {
  readonly label: string
  readonly body: string
}

/**
 * Reads a PEM with one key or certificate. Line breaks may be missing, or spelled out as `\n`, and
 * lines may be indented, as environment variables and YAML leave them: the characters of the body
 * are the same.
 *
 * @param passphrase Decrypts an encrypted private key.
 * @throws {JwtError} `ERR_JWT_KEY`
 */
export function readPem(text: string, passphrase?: string): KeyObject {
  const { label, body } = findBlock(text)
  const encrypted = label === 'ENCRYPTED PRIVATE KEY' || body.includes('Proc-Type: 4,ENCRYPTED')
  if (encrypted && passphrase === undefined) {
    throw refuseKey('the private key is encrypted; decrypt it first, or give its passphrase')
  }
  const pem = `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`
  try {
    if (label === 'CERTIFICATE') return new X509Certificate(pem).publicKey
    if (!label.endsWith('PRIVATE KEY')) return createPublicKey(pem)
    return createPrivateKey(encrypted ? { key: pem, passphrase } : pem)
  } catch (cause) {
    throw refuseKey(
      encrypted ? 'the private key cannot be decrypted with this passphrase' : 'the PEM has no key of a supported type',
      cause,
    )
  }
}

function findBlock(text: string): Block {
  const spelled = text.replaceAll(/(\\r)?\\n/g, '\n')
  const begins = [...spelled.matchAll(/-----BEGIN ([^-\n]*)-----/g)]
    // `openssl ecparam` writes the name of the curve before the key.
    .filter(([, label]) => label !== 'EC PARAMETERS')
  const [begin] = begins
  if (begin === undefined) {
    throw refuseKey(
      'the string is not PEM; pass an HMAC secret as octets with its alg: Buffer.from(secret) for a plain string, or Buffer.from(secret, "base64url") for encoded octets',
    )
  }
  if (begins.length > 1) throw refuseKey('the PEM has more than one key or certificate; pass the one to use')
  const [line, label = ''] = begin
  const start = begin.index + line.length
  const end = spelled.indexOf(`-----END ${label}-----`, start)
  if (end < 0) throw refuseKey('the PEM has no line -----END; it was cut off')
  return { label, body: tidy(spelled.slice(start, end)) }
}

/** The two headers of an encrypted key in the older format (RFC 1421 §4.6.1), and its base64. */
const ENCRYPTED = /^Proc-Type:\s*4,ENCRYPTED\s+DEK-Info:\s*([A-Za-z0-9-]+,[0-9A-Fa-f]+)\s+([^:]+)$/

/** The body in lines as OpenSSL reads them. */
function tidy(body: string): string {
  if (!body.includes(':')) return inLines(body)
  const [, method, characters = ''] = ENCRYPTED.exec(body.trim()) ?? []
  if (method === undefined) {
    throw refuseKey('the lines of the PEM have run together, or it has header lines other than Proc-Type and DEK-Info')
  }
  return `Proc-Type: 4,ENCRYPTED\nDEK-Info: ${method}\n\n${inLines(characters)}`
}

function inLines(body: string): string {
  const characters = body.replaceAll(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]+=*$/.test(characters)) throw refuseKey('the PEM has characters that are not base64')
  return characters.replaceAll(/.{64}(?=.)/g, '$&\n')
}
