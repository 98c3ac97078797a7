/** Deeper JSON is not shown: no token has it, and it would make the page slow. */
const MAX_DEPTH = 64

/** Parses JSON. Returns undefined if the text is not JSON, or too deep. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return depthOf(text) > MAX_DEPTH ? undefined : { value }
  } catch {
    return undefined
  }
}

/** How deeply JSON is nested. */
function depthOf(json: string): number {
  let depth = 0
  let deepest = 0
  for (const [piece] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (piece === '[' || piece === '{') depth += 1
    else if (piece === ']' || piece === '}') depth -= 1
    deepest = Math.max(deepest, depth)
  }
  return deepest
}
