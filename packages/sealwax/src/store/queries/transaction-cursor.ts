/** Where to read on in a feed that is ordered by transaction. */
export interface TransactionCursor {
  /** Of the rows of this transaction those behind `within` are to be read, and of every later transaction all; {@link PAST_ALL}: none. */
  readonly txid: string
  readonly within: number
  /** Rows behind this position are to be read, too. */
  readonly position: number
  /** Between two pages: the oldest transaction that was open at any of those read, from which what comes next is news. */
  readonly oldest: string | undefined
}

/** Behind every transaction (xid8 has 64 bits). */
export const PAST_ALL = String(2n ** 64n - 1n)

const BEGINNING: TransactionCursor = { txid: PAST_ALL, within: 0, position: 0, oldest: undefined }

export function writeTransactionCursor({ txid, within, position, oldest = '' }: TransactionCursor): string {
  return [txid === PAST_ALL ? '' : txid, within, position, oldest].join('-')
}

/** What is no cursor of ours stands at the beginning. */
export function readTransactionCursor(cursor = ''): TransactionCursor {
  const [, txid = '', within, position, oldest = ''] =
    /^(\d{0,20})-(\d{1,16})-(\d{1,16})-(\d{0,20})$/.exec(cursor) ?? []
  const numbers = [Number(within), Number(position)]
  if (!numbers.every(Number.isSafeInteger) || compare(txid, PAST_ALL) > 0) return BEGINNING
  const place = { within: Number(within), position: Number(position) }
  return { ...place, txid: txid === '' ? PAST_ALL : txid, oldest: oldest === '' ? undefined : oldest }
}

/** Which of two transactions has the lower number: negative if it is the first. */
export function compare(one: string, other: string): number {
  const [a, b] = [BigInt(one), BigInt(other)]
  return a < b ? -1 : a > b ? 1 : 0
}

export function least(known: string | undefined, other: string): string {
  return known !== undefined && compare(known, other) < 0 ? known : other
}
