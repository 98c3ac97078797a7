import { encodeJson } from '../../token/base64url.ts'
import { decodeToken, type JsonObject } from '../../token/decode.ts'
import { generateKey, importSecret, signToken } from '../../token/sign.ts'

/** Returns the header and the payload of a well-formed token. */
export function readToken(token: string): { readonly header: JsonObject; readonly payload: JsonObject } {
  const { header, payload } = decodeToken(token)
  return { header: header?.value ?? {}, payload: payload?.value ?? {} }
}

/** Parses a text that should be a JSON object; undefined if it is not. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

/** The same header and signature around another payload. */
export function withPayload(token: string, payload: JsonObject): string {
  const [header = '', , signature = ''] = token.split('.')
  return `${header}.${encodeJson(payload)}.${signature}`
}

/** Whether the two claims that say who somebody is and what they may do are the same in both. */
export function isSameUser(payload: JsonObject, other: JsonObject): boolean {
  return ['sub', 'roles'].every((claim) => JSON.stringify(payload[claim]) === JSON.stringify(other[claim]))
}

/** The claims of a token, with the rights of a teacher. */
export function asTeacher(payload: JsonObject): JsonObject {
  return { ...payload, sub: 'grace', roles: ['student', 'teacher'] }
}

/** A token that says in its header that it is not signed (RFC 7519 §6). */
export function unsigned(token: string): string {
  const { header, payload } = readToken(token)
  return `${encodeJson({ ...header, alg: 'none' })}.${encodeJson(asTeacher(payload))}.`
}

/** A token for a teacher, signed with a secret of the forger. */
export async function signedWithSecret(token: string, secret: string): Promise<string> {
  const { header, payload } = readToken(token)
  return signToken(asTeacher(payload), await importSecret(secret, 'HS256'), header)
}

/** A token for a teacher, signed with a new key that calls itself by the name of the real one. */
export async function signedWithOwnKey(token: string): Promise<string> {
  const { header, payload } = readToken(token)
  const key = await generateKey('ES256')
  return signToken(asTeacher(payload), typeof header.kid === 'string' ? { ...key, kid: header.kid } : key, header)
}
