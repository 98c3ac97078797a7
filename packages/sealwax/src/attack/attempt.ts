import type { Reply, Sent } from './target.ts'

/** A request that the route must refuse, or a reply that it must not give. */
export interface Attempt {
  /** What is wrong with the request, in words. */
  readonly name: string
  /** The rule that the route would break, or the advisory. */
  readonly source: string
  readonly sent: Sent
  /** Returns what is wrong with the reply; `undefined` if nothing is. Default: {@link accepted}. */
  readonly judge?: (reply: Reply) => string | undefined
}

/** Of a site that nobody allowed anything. */
export const EVIL = 'https://evil.example'

export const bearer = (token: string) => ['Authorization', `Bearer ${token}`] as const
export const isSuccess = ({ status }: Reply) => status >= 200 && status <= 299
/** The fault of a reply to a request that had to be refused. */
export const accepted = (reply: Reply) => (isSuccess(reply) ? 'was accepted' : undefined)
