import type { Block } from './pages.ts'

/** Blocks that are not run, each with the reason. `starts` is the beginning of the block. */
const EXCEPTIONS: readonly { readonly page: string; readonly starts: string; readonly why: string }[] = []

const exceptionOf = ({ page, code }: Block) =>
  EXCEPTIONS.find((exception) => exception.page === page && code.startsWith(exception.starts))

export const isExcepted = (block: Block): boolean => exceptionOf(block) !== undefined
export const reasonOf = (block: Block): string | undefined => exceptionOf(block)?.why

/** Exceptions whose block is gone. */
export const unusedExceptions = (blocks: readonly Block[]): readonly string[] =>
  EXCEPTIONS.filter(
    ({ page, starts }) => !blocks.some((block) => block.page === page && block.code.startsWith(starts)),
  ).map(({ page, starts }) => `${page}: ${starts}`)
