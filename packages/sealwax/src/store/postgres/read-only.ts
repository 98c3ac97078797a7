import { type KyselyPlugin, type RootOperationNode, SelectQueryNode } from 'kysely'
import { AuthError } from '../../errors.ts'

/** Refuses statements that write or lock, before they are compiled: what reads outside of a transaction has nothing to undo them. */
export const readOnly: KyselyPlugin = {
  transformQuery({ node }) {
    if (!reads(node)) throw new AuthError('internal_error', 'Facts are written and locked in a transaction only')
    return node
  },
  transformResult: async ({ result }) => result,
}

function reads(node: RootOperationNode): boolean {
  if (SelectQueryNode.is(node)) return node.endModifiers === undefined
  // Written by hand: the queries of the feed, and locks that end with their statement.
  return node.kind === 'RawNode'
}
