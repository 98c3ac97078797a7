/** Where the next page begins in a feed that is ordered by transaction. */
export interface TransactionCursor {
  /**
   * Rows of this transaction after `within`, and of all later ones, follow. {@link PAST_ALL}: none.
   */
  readonly txid: string
  /** A position within the transaction `txid`. */
  readonly within: number
  /** Rows after this position follow, too. */
  readonly position: number
  /** Between two pages: the oldest transaction that was open at any of the pages so far. */
  readonly oldest: string | undefined
}

/** Greater than every transaction number (xid8 has 64 bits). */
export const PAST_ALL = String(2n ** 64n - 1n)

const BEGINNING: TransactionCursor = { txid: PAST_ALL, within: 0, position: 0, oldest: undefined }

/** Formats a cursor. */
export function writeTransactionCursor({ txid, within, position, oldest = '' }: TransactionCursor): string {
  return [txid === PAST_ALL ? '' : txid, within, position, oldest].join('-')
}

/** Parses a cursor. A malformed one is the beginning. */
export function readTransactionCursor(cursor = ''): TransactionCursor {
  const [, txid = '', within, position, oldest = ''] =
    /^(\d{0,20})-(\d{1,16})-(\d{1,16})-(\d{0,20})$/.exec(cursor) ?? []
  const numbers = [Number(within), Number(position)]
  if (!numbers.every(Number.isSafeInteger) || compare(txid, PAST_ALL) > 0) return BEGINNING
  const place = { within: Number(within), position: Number(position) }
  return { ...place, txid: txid === '' ? PAST_ALL : txid, oldest: oldest === '' ? undefined : oldest }
}

/** Compares two transaction numbers, as for `sort`. */
export function compare(one: string, other: string): number {
  const [a, b] = [BigInt(one), BigInt(other)]
  return a < b ? -1 : a > b ? 1 : 0
}

/** Returns the lower of two transaction numbers. */
export function least(known: string | undefined, other: string): string {
  return known !== undefined && compare(known, other) < 0 ? known : other
}
