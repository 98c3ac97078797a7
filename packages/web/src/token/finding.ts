/** Something to say about a token. */
export interface Finding {
  /**
   * `refused`: `verify` of `@sealwax/jwt` refuses the token, whatever the key. `mistake`: a token
   * should not be issued like this. `note`: worth knowing.
   */
  readonly kind: 'refused' | 'mistake' | 'note'
  /** One or two sentences. */
  readonly message: string
  /** The code of the error that `verify` throws. */
  readonly code?: string
}
