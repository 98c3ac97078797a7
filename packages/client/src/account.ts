import type { ServerCall } from './server-calls.ts'
import type { User, UserSession } from './types.ts'

/** A token from the link in a mail, or an address and the code in the mail. */
export type MailProof = { readonly token: string } | { readonly email: string; readonly code: string }

/** The routes of the user's own account (docs/accounts.md). Each throws `ClientError`. */
export interface Account {
  /** Returns the user. */
  me(): Promise<User>
  /** Changes the name or the attributes of the user. */
  updateMe(changes: {
    readonly name?: string | null
    readonly attributes?: Readonly<Record<string, unknown>>
  }): Promise<User>
  /** Deletes the user. `password` may be left out shortly after a log-in. */
  deleteMe(proof?: { readonly password?: string }): Promise<void>
  /** Changes the password; by default the other sessions end. */
  changePassword(change: {
    readonly current_password: string
    readonly new_password: string
    readonly end_other_sessions?: boolean
  }): Promise<void>
  /**
   * Asks for a new address, which must answer a mail. `password` may be left out shortly after a
   * log-in.
   */
  changeEmail(change: { readonly email: string; readonly password?: string }): Promise<void>
  /** Takes a change of address back, with the token from the mail to the old address. */
  undoEmailChange(token: string): Promise<void>
  /** Proves that the user reads the mails of an address. */
  verifyEmail(proof: MailProof): Promise<void>
  /** Asks for the mail about the verification again. */
  requestVerification(email: string): Promise<void>
  /** Asks for a mail with which a new password can be set. */
  forgotPassword(email: string): Promise<void>
  /** Sets a new password. All sessions end; nobody is logged in by it. */
  resetPassword(reset: MailProof & { readonly password: string }): Promise<void>
  /** Returns a page of the sessions of the user, newest first. */
  sessions(page?: { readonly after?: string; readonly limit?: number }): Promise<readonly UserSession[]>
  /** Ends another session of the user. */
  endSession(id: string): Promise<void>
  /** Ends all other sessions of the user. */
  endOtherSessions(): Promise<void>
}

/** The calls of routes that need no token, or that of the user. They return the parsed body. */
interface Calls {
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the route
  readonly call: (call: ServerCall) => Promise<any>
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the route
  readonly callAsUser: (call: ServerCall) => Promise<any>
}

export function accountCalls({ call, callAsUser }: Calls): Account {
  const method = 'DELETE'
  return {
    me: async () => (await callAsUser({ method: 'GET', path: '/me' })).user,
    updateMe: async (body) => (await callAsUser({ method: 'PATCH', path: '/me', body })).user,
    deleteMe: (body) => callAsUser({ method, path: '/me', body }),
    changePassword: (body) => callAsUser({ path: '/password', body }),
    changeEmail: (body) => callAsUser({ path: '/email', body }),
    undoEmailChange: (token) => call({ path: '/email/undo', body: { token } }),
    verifyEmail: (body) => call({ path: '/email/verify', body }),
    requestVerification: (email) => call({ path: '/email/verification', body: { email } }),
    forgotPassword: (email) => call({ path: '/password/forgot', body: { email } }),
    resetPassword: (body) => call({ path: '/password/reset', body }),
    sessions: async (page) =>
      // biome-ignore lint/suspicious/noExplicitAny: the numbers become strings
      (await callAsUser({ method: 'GET', path: `/sessions?${new URLSearchParams(page as any)}` })).data,
    endSession: (id) => callAsUser({ method, path: `/sessions/${encodeURIComponent(id)}` }),
    endOtherSessions: () => callAsUser({ method, path: '/sessions' }),
  }
}
