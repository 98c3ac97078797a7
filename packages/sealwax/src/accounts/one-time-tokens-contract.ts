import type {} from '../core/unit-of-work.ts'

declare module '../core/unit-of-work.ts' {
  interface Facts {
    readonly oneTimeTokens: OneTimeTokens
  }
}

/** What a token allows. */
export type Purpose =
  | 'register'
  | 'verify-email'
  | 'reset-password'
  | 'change-email'
  | 'undo-email-change'
  | 'invite'
  | 'not-me'

/** A one-time token, with its code if it has one. Times are in milliseconds since 1970. */
export interface OneTimeTokenRow {
  /** The SHA-256 of the token, in base64url. */
  readonly hash: string
  readonly purpose: Purpose
  /** Whose token it is: there is one for each purpose and holder. */
  readonly holder: string
  /** The normalised address to which it is sent. */
  readonly email: string
  /** What the effect needs. */
  readonly data: Readonly<Record<string, unknown>>
  /** Six digits, wrapped by the server secret: all hashes of six digits are quickly tried. */
  readonly code: Uint8Array | null
  /** How often a code was tried. */
  readonly code_tries: number
  readonly created_at: number
  readonly expires_at: number
}

/** One-time tokens. */
export interface OneTimeTokens {
  /** Stores a token in place of the earlier one of its purpose and holder. */
  put(token: OneTimeTokenRow): Promise<void>
  /** Finds a token that has not expired. */
  byHash(hash: string, now: number): Promise<OneTimeTokenRow | undefined>
  /** Finds the token of a purpose and holder, if it has not expired. */
  byHolder(purpose: Purpose, holder: string, now: number): Promise<OneTimeTokenRow | undefined>
  /** Returns the tokens that were sent to an address and have not expired, newest first. */
  byEmail(email: string, purposes: readonly Purpose[], now: number): Promise<OneTimeTokenRow[]>
  /** Returns a page of the tokens of a purpose that have not expired, ordered by holder. */
  list(purpose: Purpose, now: number, page: { after?: string | undefined; limit: number }): Promise<OneTimeTokenRow[]>
  /** Deletes a token; false when there is none, so that of two uses one succeeds. */
  take(hash: string, now: number): Promise<boolean>
  /** Counts a try of a code. False when it has had `most` tries. */
  countTry(hash: string, most: number): Promise<boolean>
  /** Deletes the token of a purpose and holder. False when there is none. */
  delete(purpose: Purpose, holder: string): Promise<boolean>
  /** Returns the first bytes of one code for each secret that wraps any. */
  codeHeads(): Promise<Uint8Array[]>
  /** Returns tokens whose code begins with `head`, at most `limit`. */
  wrappedBy(head: Uint8Array, limit: number): Promise<{ hash: string; code: Uint8Array }[]>
  /** Replaces a code unless it has changed; returns whether it did. Null deletes it. */
  rewrap(hash: string, from: Uint8Array, to: Uint8Array | null): Promise<boolean>
  /** Deletes at most `limit` tokens that expired before a time; returns how many. */
  purge(before: number, limit: number): Promise<number>
}
