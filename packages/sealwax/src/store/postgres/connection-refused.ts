/** A connection that must not be used. The message explains why; the code is for `errors.ts`. */
export class ConnectionRefused extends Error {
  readonly code: 'TLS_MISSING' | 'TLS_FAILED' | 'CLEARTEXT_REFUSED' | 'BINDING_REFUSED'
  constructor(code: ConnectionRefused['code'], sentence: string, cause?: unknown) {
    super(sentence, { cause })
    this.code = code
  }
}
