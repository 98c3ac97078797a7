import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lexer, type Token, walkTokens } from 'marked'

export const root = join(import.meta.dirname, '..')

/** A fenced block of a page. */
export interface Block {
  /** The page, from the root of the repository. */
  readonly page: string
  /** The line of the page on which the block begins. */
  readonly line: number
  /** The first word after the fence. */
  readonly lang: string
  /** The further words: `server`, `output`. */
  readonly marks: readonly string[]
  /** From a first line that is a comment with a path: `// app.ts`. */
  readonly file?: string
  readonly code: string
}

/** The pages whose blocks run, from the root of the repository. */
export const pages: readonly string[] = globSync(
  ['README.md', 'docs/*.md', 'docs/moving/*.md', 'examples/*/README.md', 'packages/*/README.md'],
  {
    cwd: root,
  },
).sort()

const FILE = /^(?:\/\/|#|<!--) ([\w.()[\]/-]+\.\w+)(?: -->)?$/

/** The blocks of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(root, page), 'utf8')
  const blocks: Block[] = []
  let offset = 0
  void walkTokens(lexer(text), (token: Token) => {
    if (token.type !== 'code' || !('lang' in token)) return
    const [lang = '', ...marks] = (token.lang ?? '').split(/\s+/)
    const code = token.text as string
    const at = text.indexOf(code.split('\n', 1)[0] as string, offset)
    offset = at + code.length // another block may begin with the same line
    const file = FILE.exec(code.split('\n', 1)[0] as string)?.[1]
    const line = text.slice(0, at).split('\n').length
    blocks.push({ page, line, lang, marks, code, ...(file !== undefined && { file }) })
  })
  return blocks
}

/** `page:line`, which editors open. */
export const placeOf = ({ page, line }: Block): string => `${page}:${line}`
