/** What a piece of JavaScript is coloured as. */
export type Kind = 'comment' | 'string' | 'keyword' | 'number'

/** A piece of the code, from `start` to before `end`. */
export interface Piece {
  readonly kind: Kind
  readonly start: number
  readonly end: number
}

const PATTERN = new RegExp(
  [
    /(?<comment>\/\/.*|\/\*[\s\S]*?\*\/)/,
    /(?<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)/,
    /(?<keyword>\b(?:async|await|break|case|catch|const|continue|else|false|finally|for|function|if|in|instanceof)\b)/,
    /(?<keywords>\b(?:let|new|null|of|return|switch|throw|true|try|typeof|undefined|while)\b)/,
    /(?<number>\b\d[\d_.]*\b)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
)

/** Finds the pieces of JavaScript to colour. It does not know regular expressions. */
export function findPieces(code: string): readonly Piece[] {
  return [...code.matchAll(PATTERN)].map(({ index, 0: text, groups = {} }) => {
    const name = Object.keys(groups).find((one) => groups[one] !== undefined)
    return { kind: (name === 'keywords' ? 'keyword' : name) as Kind, start: index, end: index + text.length }
  })
}
