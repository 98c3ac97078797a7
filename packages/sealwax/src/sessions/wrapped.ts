import { audit } from '../core/audit.ts'
import type { WrappedValues } from '../core/context.ts'
import { revokeSessions } from '../revocations/rules.ts'
import type { EndReason } from './end.ts'
import { sessionKeyPlace } from './rules.ts'

/** The HMAC keys of sessions, for the rotation and the loss of a server secret. */
export const wrappedSessionKeys: WrappedValues = {
  noun: 'sessions',
  heads: ({ store }) => store.committed.sessions.wrappers(),
  async wrappedBy({ store }, head, limit) {
    const page = await store.committed.sessions.wrappedBy(head, limit)
    return page.map(({ id, hmac_key }) => ({ id, value: hmac_key, place: sessionKeyPlace(id) }))
  },
  rewrap: (unit, { id, value }, to) => unit.sessions.rewrap(id, value, to),
  // Their refresh tokens can no longer be verified.
  async forget(context, unit, values) {
    const { now, secrets, randomBytes } = context
    let count = 0
    for (const { id, value, place } of values) {
      await unit.sessions.rewrap(id, value, secrets.wrap(randomBytes(32), place))
      const ended = await unit.sessions.end(id, now(), 'secret_lost' satisfies EndReason)
      if (ended === undefined) continue // it had ended before
      await revokeSessions(context, unit, [ended])
      count += 1
    }
    if (count > 0) await audit(unit, { type: 'sessions.ended', time: now(), data: { reason: 'secret_lost', count } })
    return count
  },
}
