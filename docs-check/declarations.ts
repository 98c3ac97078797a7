import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A name that a file exports or imports: a source, or a declaration file of the build. */
export interface Exported {
  readonly name: string
  readonly file: string
}

/** Where a name is declared. */
export interface Declared {
  readonly file: string
  readonly source: string
  /** Where each of its declarations begins: a function may have several signatures. */
  readonly indexes: readonly [number, ...number[]]
}

const DECLARATION = '(?:async |declare |abstract )*(?:function|const|class|interface|type)'

/** The names that a file exports, own and passed on. */
export function exportsOf(file: string): readonly Exported[] {
  const source = readFileSync(file, 'utf8')
  const own = [...source.matchAll(new RegExp(`^export ${DECLARATION} (\\w+)`, 'gm'))].map(([, name = '']) => name)
  const passedOn = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) => namesIn(list))
  return [...new Set([...own, ...passedOn])].map((name) => ({ name, file }))
}

/** The names in an import or export list, as they are known in this file. */
function namesIn(list: string): readonly string[] {
  const names = list.split(',').map((name) => name.trim().replace(/^type /, ''))
  return names.flatMap((name) => name.split(' as ').at(-1) || [])
}

/** Follows imports and exports. Returns the specifier for a name that another package declares. */
export function findDeclaration({ name, file }: Exported): Declared | string {
  const source = readFileSync(file, 'utf8')
  const found = source.matchAll(new RegExp(`^(?:export )?${DECLARATION} ${name}\\b`, 'gm'))
  const [first, ...others] = [...found].map(({ index }) => index)
  if (first !== undefined) return { file, source, indexes: [first, ...others] }
  for (const [, list = '', path = ''] of source.matchAll(/^(?:im|ex)port (?:type )?\{([^}]*)\} from '([^']+)'/gm)) {
    if (!namesIn(list).includes(name)) continue
    if (!path.startsWith('.')) return path
    const target = file.endsWith('.d.ts') ? path.replace(/\.[jt]s$/, '.d.ts') : path
    return findDeclaration({ name, file: join(dirname(file), target) })
  }
  throw new Error(`${file} does not declare ${name}`)
}
