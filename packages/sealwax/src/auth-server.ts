import type { Guard } from '@sealwax/guard'
import type { ForwardedHeader } from './core/options.ts'
import type { features } from './features.ts'
import type { Platform } from './http/env.ts'

/** The groups of calls that some features bring, all together. */
export type ApiOf<Features extends readonly unknown[]> = Features extends readonly [infer First, ...infer Rest]
  ? (First extends { readonly api: (context: never) => infer Api } ? Api : unknown) & ApiOf<Rest>
  : unknown

/** What every auth server has, whatever its features. */
export interface ServerCore {
  /**
   * Answers a request to one of our routes. `platform` tells the address of the other end, where it
   * is known.
   */
  fetch(request: Request, platform?: Platform): Promise<Response>
  /** Whether a path is one of ours. */
  handles(path: string): boolean
  /**
   * The address of a caller by the rule of `trustProxy`.
   * @param peer the address of the other end of the connection
   * @param forwarded the value of the header that `forwardedHeader` names
   */
  clientAddress(peer: string | undefined, forwarded: string | undefined): string | undefined
  /** The option of this name: the header that `clientAddress` takes. */
  readonly forwardedHeader: ForwardedHeader
  /** Guards your own routes with this server's keys and revocations: no network, no database. */
  readonly guard: Guard
  /**
   * Answers the guards that wait in the feed, so that an HTTP server around this one can close at
   * once. Everything else goes on.
   */
  drain(): void
  /** Waits for writes under way and closes the store. */
  close(): Promise<void>
}

/** An auth server: embed it (`toNodeHandler`, `fetch`), or call its parts from your own code. */
export interface AuthServer extends ServerCore, ApiOf<typeof features> {}
