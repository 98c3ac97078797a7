/** An error in the code of the reader. */
export interface Failure {
  readonly name: string
  readonly message: string
  /** The lines of the script that were running, the innermost first. */
  readonly lines: readonly number[]
}

/** What the worker says to the page. */
export type FromWorker =
  | { readonly type: 'started' }
  | { readonly type: 'hmac'; readonly id: number; readonly secret: string; readonly text: string }
  | { readonly type: 'outcome'; readonly outcome: unknown }
  /** From the frame: the script has a syntax error, or ended with an error. */
  | { readonly type: 'failed'; readonly message: string; readonly line: number }

/** What the page says to the worker. */
export type ToWorker =
  | { readonly type: 'inputs'; readonly inputs: readonly unknown[] }
  | { readonly type: 'hmac'; readonly id: number; readonly result: string | undefined }

/** What the verifier of the reader did with a token. */
export interface VerifierOutcome {
  /** What it returned, as JSON; undefined for `undefined` and for what JSON cannot hold. */
  readonly returned: string | undefined
  readonly failure: Failure | undefined
  /** The arguments of each call of `equal`. */
  readonly compared: readonly (readonly [string, string])[]
}

/** What the app with the guard of the reader did with a request. */
export interface GuardOutcome {
  readonly status: number
  readonly authenticate: string | null
  readonly body: string
  /** Whether the guarded route was run. */
  readonly ran: boolean
  readonly failure: Failure | undefined
}
