/** Where a request came from, as far as known. */
export interface RequestOrigin {
  /** The address of the client. */
  readonly ip?: string | undefined
  /** The header `User-Agent`. */
  readonly userAgent?: string | undefined
  /** The administrator who sent the request; stored in the data of the audit event. */
  readonly by?: string | undefined
}
