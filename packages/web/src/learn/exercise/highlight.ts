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

/**
 * Colours the text of an element with CSS highlights, which leave its nodes alone: the cursor and
 * screen readers do not notice. A browser without them shows plain text.
 *
 * @returns a function that removes the colours
 */
export function highlight(element: HTMLElement): () => void {
  if (!('highlights' in CSS)) return () => {}
  const ranges = findPieces(element.textContent ?? '').flatMap(({ kind, start, end }) => {
    const [from, to] = [findPlace(element, start), findPlace(element, end)]
    if (from === undefined || to === undefined) return []
    const range = new StaticRange({
      ...{ startContainer: from.node, startOffset: from.offset },
      ...{ endContainer: to.node, endOffset: to.offset },
    })
    registered(kind).add(range)
    return [{ kind, range }]
  })
  return () => {
    for (const { kind, range } of ranges) registered(kind).delete(range)
  }
}

function registered(kind: Kind): Highlight {
  const name = `code-${kind}`
  const known = CSS.highlights.get(name)
  if (known !== undefined) return known
  const added = new Highlight()
  CSS.highlights.set(name, added)
  return added
}

/** The text node with a character of the text of an element, and where in it. */
function findPlace(element: HTMLElement, index: number): { node: Node; offset: number } | undefined {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  let before = 0
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const { length } = node as Text
    if (index <= before + length) return { node, offset: index - before }
    before += length
  }
  return undefined
}
