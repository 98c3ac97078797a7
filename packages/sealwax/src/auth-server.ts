import type { Guard } from '@sealwax/guard'
import type { ForwardedHeader } from './core/options.ts'
import type { features } from './features.ts'
import type { Platform } from './http/env.ts'

/** The combined groups of calls of a list of features. */
export type ApiOf<Features extends readonly unknown[]> = Features extends readonly [infer First, ...infer Rest]
  ? (First extends { readonly api: (context: never) => infer Api } ? Api : unknown) & ApiOf<Rest>
  : unknown

/** The members of every auth server, independent of its features. */
export interface ServerCore {
  /**
   * Handles a request to one of our routes. `platform` contains the remote address, if it is known.
   */
  fetch(request: Request, platform?: Platform): Promise<Response>
  /** Whether a path is one of ours. */
  handles(path: string): boolean
  /**
   * Returns a promise to wait for before a request that hashes a password starts, and undefined for
   * any other path. `fetch` waits for it too, unless `toNodeHandler` has.
   * @param peer returns the remote address of the connection
   * @param header returns the value of a header
   */
  admit(
    path: string,
    peer: () => string | undefined,
    header: (name: string) => string | null | undefined,
  ): Promise<void> | undefined
  /**
   * Returns the address of a client according to `trustProxy`.
   * @param peer the remote address of the connection
   * @param forwarded the value of the header that `forwardedHeader` names
   */
  clientAddress(peer: string | undefined, forwarded: string | undefined): string | undefined
  /** The option of this name: the header whose value `clientAddress` takes. */
  readonly forwardedHeader: ForwardedHeader
  /** Guards your own routes with this server's keys and revocations: no network, no database. */
  readonly guard: Guard
  /**
   * Responds to the guards that wait for the revocation feed, so that an HTTP server around this
   * one can close immediately. Everything else continues.
   */
  drain(): void
  /** Waits for running writes and closes the store. */
  close(): Promise<void>
}

/** An auth server: embed it (`toNodeHandler`, `fetch`), or call its parts from your own code. */
export interface AuthServer extends ServerCore, ApiOf<typeof features> {}
