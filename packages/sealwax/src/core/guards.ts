import type { Guard } from '@sealwax/guard'
import { type Context, perContext } from './context.ts'

/** The guards of a server. */
export interface Guards {
  /** Also accepts access tokens of the other issuers. */
  readonly guard: Guard
  /** Accepts only access tokens of this server. */
  readonly own: Guard
  /** The same for tokens that are sent as a parameter: there is no proof for those. */
  readonly parameters: Guard
}

const provided = perContext((): { guards?: Guards } => ({}))

/** Sets the guards of a server, before its first request. */
export function provideGuards(context: Context, guards: Guards): void {
  provided(context).guards = guards
}

/** Returns the guards of a server. A command has none. */
export function guardsOf(context: Context): Guards {
  const { guards } = provided(context)
  if (guards === undefined) throw new Error('a command has no guards')
  return guards
}
