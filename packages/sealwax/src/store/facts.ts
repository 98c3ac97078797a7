import type { Kysely } from 'kysely'
import type { Tables } from '../core/tables.ts'
import type { DatabaseTraits, Facts, StoreOpening } from '../core/unit-of-work.ts'

/** Returns a function that creates the queries of all features for a connection. */
export function factsOver(features: StoreOpening['features']): (db: Kysely<Tables>, traits: DatabaseTraits) => Facts {
  const queries = features.flatMap((feature) => Object.entries(feature.queries ?? {}))
  return (db, traits) => Object.fromEntries(queries.map(([noun, over]) => [noun, over(db, traits)])) as unknown as Facts
}
