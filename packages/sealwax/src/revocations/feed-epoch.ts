import type { Context } from '../core/context.ts'
import { FEED_EPOCH } from '../core/metadata-contract.ts'

/**
 * Gives the feed an epoch if it has none: in a new database, and in a copied or restored one, whose
 * epoch was deleted.
 */
export async function openFeed({ store, randomBytes }: Context): Promise<void> {
  if ((await store.committed.metadata.get(FEED_EPOCH)) !== undefined) return
  const epoch = randomBytes(9).toString('base64url')
  await store.transaction((facts) => facts.metadata.getOrSet(FEED_EPOCH, epoch))
}
