/**
 * Returns what tokens contain about a user of the application, or undefined if there is no such
 * user. Called when a session begins and at each refresh.
 */
export type LoadSubject = (subject: string) => Promise<Subject | undefined> | Subject | undefined

/** What tokens contain about a user. */
export interface Subject {
  /** Its roles; by default those of the built-in user of the same id, if there is one. */
  readonly roles?: readonly string[]
  /**
   * Extra claims of the access token. Claims that Sealwax sets are refused with
   * `validation_failed`.
   */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Whether log-in and refresh are refused. Default false. */
  readonly disabled?: boolean
}
