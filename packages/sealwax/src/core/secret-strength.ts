/** Secrets from tutorials, templates and defaults. */
const WELL_KNOWN = [
  'secret',
  'changeme',
  'change-me',
  'password',
  'your-256-bit-secret',
  'a-string-secret-at-least-256-bits-long',
  'keyboard cat',
  'super-secret',
]

/**
 * Words of placeholders and instructions. Those of up to three letters count only as whole words.
 */
const FILLER = `
  actual admin auth backend battery bits bytes change characters chars correct default demo development dummy edit enter ever example fake
  fill fixme foobar from generate hello here horse hs256 hs384 hs512 insecure insert ipsum keep least letmein local localhost long longer
  lorem minimum must name never only passphrase passwd password paste placeholder please private production project random real replace safe
  sample sealwax secret secure server service should signing some something staging staple string strong super test testing that these this
  todo token tokens unsafe update used using value very welcome with world your a an api app at be by dev do env foo for in is it jwt key me
  my new no not of on or own so the to use 32 64 128 256 384 512
`
  .trim()
  .split(/\s+/)
  .toSorted((a, b) => b.length - a.length)

/** Rows of a keyboard, also read backwards. */
const ROWS = 'qwertyuiop asdfghjkl zxcvbnm qwertzuiop yxcvbnm azertyuiop qsdfghjklm 1qaz2wsx3edc4rfv5tgb6yhn7ujm'.split(
  ' ',
)
const ROWS_BOTH_WAYS = ROWS.flatMap((row) => [row, [...row].toReversed().join('')])

/** Shorter runs occur by chance. */
const LEAST_RUN = 4
/**
 * The entropy of one predictable piece in bits: which word; where a row or a repeat begins and
 * ends.
 */
const WORD_BITS = 2
const RUN_BITS = 8
/** `openssl rand -hex 16` is estimated at 121 bits on average; none of 60,000 was below 97. */
const LEAST_BITS = 72
/** `openssl rand -hex 16` has fewer different digits once in 10^12 times. */
const LEAST_DISTINCT = 6

/**
 * Returns why a secret must not be used, or undefined. It finds secrets that are obviously weak; it
 * cannot prove that one is strong.
 *
 * @param options.encrypts false for a former secret, which only decrypts. Refusing it would lose
 * the keys it encrypted, so it only has to pass the checks that every version had.
 */
export function findWeakness(secret: string, { encrypts }: { encrypts: boolean }): string | undefined {
  const plain = secret.toLowerCase()
  if (
    WELL_KNOWN.some((known) => plain.includes(known) && plain.replaceAll(known, '').replace(/[\W\d_]/g, '').length < 8)
  )
    return 'is a well-known secret'
  if (secret.length < 32) return 'is shorter than 32 characters'
  if (new Set(secret).size < LEAST_DISTINCT) return 'repeats a few characters'
  return encrypts ? predictability(secret) : undefined
}

type Piece = keyof typeof KINDS

const KINDS = {
  word: 'reads like a placeholder',
  row: 'is a row of letters, digits or keys',
  repeat: 'repeats itself',
  free: 'is too easy to guess',
} as const

/**
 * Splits the secret into predictable pieces and free characters until the entropy is sufficient.
 */
function predictability(secret: string): string | undefined {
  const perCharacter = Math.log2(new Set(secret).size)
  const worth: Record<Piece, number> = { word: WORD_BITS, row: RUN_BITS, repeat: RUN_BITS, free: perCharacter }
  const covered: Record<Piece, number> = { word: 0, row: 0, repeat: 0, free: 0 }
  let bits = 0
  for (let at = 0, before: Piece = 'free'; at < secret.length; ) {
    const [piece, length] = pieceAt(secret, at)
    // Separators after a predictable piece add nothing.
    const separates = piece === 'free' && before !== 'free' && !isAlphanumeric(secret[at])
    if (!separates) {
      bits += worth[piece]
      before = piece
    }
    if (bits >= LEAST_BITS) return undefined
    covered[piece] += length
    at += length
  }
  const [kind] = (['word', 'row', 'repeat'] as const).toSorted((a, b) => covered[b] - covered[a])
  return KINDS[kind !== undefined && covered[kind] > 0 ? kind : 'free']
}

function pieceAt(secret: string, at: number): [piece: Piece, length: number] {
  const plain = secret.toLowerCase()
  const [word, row, repeat] = [wordAt(secret, at), rowAt(plain, at), repeatAt(plain, at)]
  if (word > 0 && word >= Math.max(row, repeat)) return ['word', word]
  if (Math.max(row, repeat) < LEAST_RUN) return word > 0 ? ['word', word] : ['free', 1]
  return row >= repeat ? ['row', row] : ['repeat', repeat]
}

function wordAt(secret: string, at: number): number {
  const plain = secret.toLowerCase()
  const word = FILLER.find(
    (known) => plain.startsWith(known, at) && (known.length > 3 || standsAlone(secret, at, known)),
  )
  return word?.length ?? 0
}

/** Whether a word is a whole word, also in camelCase. */
function standsAlone(secret: string, at: number, word: string): boolean {
  const [before, first] = [secret[at - 1], secret[at]]
  const [last, after] = [secret[at + word.length - 1], secret[at + word.length]]
  return isBoundary(before, first) && isBoundary(last, after)
}

function isBoundary(left: string | undefined, right: string | undefined): boolean {
  if (!isAlphanumeric(left) || !isAlphanumeric(right)) return true
  return /[a-z\d]/.test(left ?? '') && /[A-Z]/.test(right ?? '')
}

function isAlphanumeric(character: string | undefined): boolean {
  return character !== undefined && /[a-z\d]/i.test(character)
}

/**
 * The length of the longest run from here that also occurs earlier; both may overlap, as in
 * abcabcabc.
 */
function repeatAt(text: string, at: number): number {
  let longest = 0
  for (let from = 0; from < at; from += 1) {
    let length = 0
    while (at + length < text.length && text[from + length] === text[at + length]) length += 1
    longest = Math.max(longest, length)
  }
  return longest
}

/**
 * The length of the longest run from here of equal steps (aaaa, abcd, 9876, acegi) or keyboard
 * neighbours.
 */
function rowAt(text: string, at: number): number {
  const step = text.charCodeAt(at + 1) - text.charCodeAt(at)
  let steps = 1
  if (Math.abs(step) <= 2) {
    while (at + steps < text.length && text.charCodeAt(at + steps) - text.charCodeAt(at + steps - 1) === step)
      steps += 1
  }
  const keys = ROWS_BOTH_WAYS.map((row) => {
    const from = row.indexOf(text[at] as string)
    if (from < 0) return 0
    let length = 0
    while (from + length < row.length && row[from + length] === text[at + length]) length += 1
    return length
  })
  return Math.max(steps, ...keys)
}
