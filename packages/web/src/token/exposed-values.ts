import type { JsonObject } from './decode.ts'
import type { Finding } from './finding.ts'

const PASSWORD = /^(pass(word|wd|phrase|code)?|pwd|pin|cvc|cvv|otp|totp|security_?answer)$/
const SECRET = /(^|_)(secrets?|credentials?|api_?key|access_?key|private_?key|session_?key|encryption_?key|csrf)($|_)/
const TOKEN = /(^|_)(refresh|access|auth|session|bearer|api|id|reset|personal)_?token$|^(token|cookie|key)$/
const PERSONAL =
  /^(e_?mail(_address)?|phone(_number)?|mobile|address|street(_address)?|birth_?da(te|y)|date_of_birth|dob|gender|ssn|social_security_number|tax_id|passport(_number)?|iban|salary|religion|diagnosis)$/
/** Names under which a random value is as it should be. */
const HARMLESS = new Set(['jti', 'sid', 'sub', 'nonce', 'kid', 'cnf', 'jwk', 'at_hash', 'c_hash', 's_hash', 'ath'])
const HASH = /^\$(2[aby]|argon2\w*|scrypt|pbkdf2|[156])\$/
const JWT = /^ey[\w-]{8,}\.[\w-]+\.[\w-]*$/

/** More findings help nobody, and the page would become slow. */
const MOST = 100

/** Finds values that nobody should be able to read: a payload is encoded, not encrypted. */
export function findExposedValues(payload: JsonObject): Finding[] {
  // The members of a list have the same path, and say the same.
  const findings = new Map<string, Finding>()
  visit(payload, '', (path, name, value) => {
    const finding = findings.size < MOST ? judge(path, name, value) : undefined
    if (finding !== undefined) findings.set(finding.message, finding)
  })
  return [...findings.values()]
}

function visit(value: object, path: string, look: (path: string, name: string, value: unknown) => void): void {
  for (const [name, member] of Object.entries(value)) {
    if (HARMLESS.has(name)) continue
    const own = Array.isArray(value) ? path : path === '' ? name : `${path}.${name}`
    if (typeof member === 'object' && member !== null) visit(member, own, look)
    else look(own, Array.isArray(value) ? (path.split('.').at(-1) ?? '') : name, member)
  }
}

function judge(path: string, name: string, value: unknown): Finding | undefined {
  // accessKey, access-key and ACCESS_KEY are the same name.
  const plain = name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replaceAll(/[-. ]/g, '_')
    .toLowerCase()
  if ((typeof value !== 'string' && typeof value !== 'number') || value === '') return undefined
  const text = String(value)
  if (PASSWORD.test(plain) || SECRET.test(plain)) return exposed(path, 'looks like a secret')
  if (HASH.test(text)) return exposed(path, 'is the hash of a password, which can be guessed at offline')
  if (text.includes('PRIVATE KEY-----')) return exposed(path, 'is a private key')
  if (JWT.test(text)) return exposed(path, 'is itself a token')
  if (TOKEN.test(plain) && isRandom(text)) return exposed(path, 'looks like a token or a key')
  if (isCardNumber(text, plain)) return exposed(path, 'looks like the number of a payment card')
  if (!PERSONAL.test(plain)) return undefined
  const message = `${path} is personal data. It can be read wherever the token goes, logs included: put it in only if the recipient needs it.`
  return { kind: 'note', message }
}

function exposed(path: string, what: string): Finding {
  const message = `${path} ${what}. The payload is not encrypted: everyone who gets hold of the token can read it.`
  return { kind: 'mistake', message }
}

/** Whether a text is long and has letters as well as digits, as random values have. */
function isRandom(text: string): boolean {
  return /^[\w+/=.~-]{16,}$/.test(text) && /\d/.test(text) && /[a-z]/i.test(text) && new Set(text).size >= 8
}

/** Ids are long numbers, too: only the first digits of the large issuers count, unless named. */
function isCardNumber(text: string, name: string): boolean {
  const digits = text.replaceAll(/[ -]/g, '')
  if (!/^\d{13,19}$/.test(digits) || !passesLuhn(digits)) return false
  return /card|(^|_)pan($|_)/.test(name) || (/^(4|5[1-5]|2[2-7]|3[47]|6)/.test(digits) && /[ -]/.test(text))
}

/** The check digit of ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, character, index) => {
    const digit = Number(character) * (index % 2 === 0 ? 1 : 2)
    return total + (digit > 9 ? digit - 9 : digit)
  }, 0)
  return sum % 10 === 0
}
