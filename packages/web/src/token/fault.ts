/** What is wrong with how a token is written. */
type FaultName =
  | 'quotes'
  | 'scheme'
  | 'white-space'
  | 'surroundings'
  | 'number-of-parts'
  | 'no-signature'
  | 'encrypted'
  | 'not-base64url'
  | 'not-utf-8'
  | 'not-json'
  | 'not-an-object'

/** One fault, in words. */
export interface Fault {
  readonly name: FaultName
  /** One sentence. */
  readonly message: string
  /** The index of the part at fault; undefined if it is the whole token. */
  readonly part?: number
}
