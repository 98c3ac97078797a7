import { type KyselyPlugin, type RootOperationNode, SelectQueryNode } from 'kysely'
import { AuthError } from '../../errors.ts'

/** Refuses statements that write or lock outside a transaction, before they are compiled. */
export const readOnly: KyselyPlugin = {
  transformQuery({ node }) {
    if (!reads(node)) throw new AuthError('internal_error', 'Writes and locks need a transaction')
    return node
  },
  transformResult: async ({ result }) => result,
}

function reads(node: RootOperationNode): boolean {
  if (SelectQueryNode.is(node)) return node.endModifiers === undefined
  // Raw SQL is allowed: the queries of the feed, and locks that end with their statement.
  return node.kind === 'RawNode'
}
