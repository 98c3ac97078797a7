import { audit } from '../core/audit.ts'
import type { Context, WrappedValues } from '../core/context.ts'
import { revokeKid } from '../revocations/rules.ts'
import { signingKeyPlace } from './ring.ts'

const rows = ({ store }: Context) => store.committed.signingKeys.list()

/** The private keys, for the rotation and the loss of a server secret. */
export const wrappedSigningKeys: WrappedValues = {
  noun: 'keys',
  async heads(context) {
    const { fingerprintOf } = context.secrets
    const byFingerprint = (await rows(context)).map(
      ({ private_jwk }) => [fingerprintOf(private_jwk), private_jwk] as const,
    )
    return [...new Map(byFingerprint).values()]
  },
  async wrappedBy(context, head, limit) {
    const { fingerprintOf } = context.secrets
    const own = (await rows(context)).filter(({ private_jwk }) => fingerprintOf(private_jwk) === fingerprintOf(head))
    return own
      .slice(0, limit)
      .map(({ kid, private_jwk }) => ({ id: kid, value: private_jwk, place: signingKeyPlace(kid) }))
  },
  rewrap: (unit, { id, value }, to) => unit.signingKeys.rewrap(id, value, to),
  async forget(context, unit, values) {
    const lost = (await unit.signingKeys.list()).filter(({ kid }) => values.some(({ id }) => id === kid))
    for (const row of lost) {
      const { kid, alg } = row
      await unit.signingKeys.delete(kid)
      await revokeKid(context, unit, row)
      await audit(unit, { type: 'key.revoked', time: context.now(), data: { kid, alg, reason: 'secret_lost' } })
    }
    return lost.length
  },
}
