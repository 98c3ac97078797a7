import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const sources = globSync(
  [
    'packages/*/{src,test,torture,drill,fuzz,mutation}/**/*.ts',
    'bench/*.ts',
    'browser/**/*.ts',
    'docs-check/*.ts',
    'docs-check/setups/*.ts',
    'test/*.ts',
  ],
  {
    cwd: root,
  },
)

/** The maximum number of columns of a comment. */
const WIDTH = 100

test('style: comments are at most 100 columns wide', () => {
  assert.ok(sources.length > 300)
  const wide = sources.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, i) => (isComment(line) && line.length > WIDTH ? [`${file}:${i + 1}`] : [])),
  )
  assert.deepEqual(wide, [])
})

function isComment(line: string): boolean {
  // A URL cannot be wrapped.
  return /^\s*(\/\/|\/?\*)/.test(line) && !/https?:\/\/\S{60}/.test(line)
}

const read = (file: string) => readFileSync(join(root, file), 'utf8')

/** The entry points of all packages. */
const entryPoints = globSync('packages/*/package.json', { cwd: root }).flatMap((manifest) =>
  Object.values<{ '@sealwax/source'?: string }>(JSON.parse(read(manifest)).exports ?? {}).flatMap((entry) =>
    entry['@sealwax/source'] === undefined ? [] : [join(manifest, '..', entry['@sealwax/source'])],
  ),
)

/** A name, and the file that declares, re-exports or imports it. */
interface Name {
  readonly name: string
  readonly file: string
}

test('style: everything that an entry point exports has a comment, and so does each of its members', () => {
  assert.ok(entryPoints.length >= 20)
  const checked = new Set<string>()
  const missing = entryPoints.flatMap(exportsOf).flatMap((exported) => {
    const found = findDeclaration(exported)
    if (found === undefined || checked.has(found.place)) return []
    checked.add(found.place)
    return [...(found.hasComment ? [] : [found.place]), ...membersWithoutComment(found)]
  })
  assert.ok(checked.size > 100)
  assert.deepEqual(missing, [])
})

const DECLARATION = '(?:async |declare |abstract )*(?:function|const|class|interface|type)'

function exportsOf(file: string): Name[] {
  const source = read(file)
  const own = [...source.matchAll(new RegExp(`^export ${DECLARATION} (\\w+)`, 'gm'))]
  const passedOn = [...source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
  const all = [...source.matchAll(/^export \* from '(\.[^']+)'/gm)]
  return [
    ...[...own.map(([, name = '']) => name), ...passedOn.flatMap(([, list = '']) => namesIn(list))].map((name) => ({
      name,
      file,
    })),
    ...all.flatMap(([, path = '']) => exportsOf(join(file, '..', path))),
  ]
}

/** The names in an import or export list, as they are known in this file. */
function namesIn(list: string): string[] {
  const names = list.split(',').map((name) => name.trim().replace(/^type /, ''))
  return names.flatMap((name) => name.split(' as ').at(-1) || [])
}

interface Declaration {
  readonly place: string
  readonly hasComment: boolean
  /** The lines from the declaration to the end of the file. */
  readonly lines: readonly string[]
}

/** Follows imports and exports. Returns `undefined` for a name that another package declares. */
function findDeclaration({ name, file }: Name): Declaration | undefined {
  const source = read(file)
  const declared = new RegExp(`^(?:export )?${DECLARATION} ${name}\\b`, 'm').exec(source)
  if (declared !== null) {
    const before = source.slice(0, declared.index).replace(/(\n\/\/ biome-ignore .*)+\n$/, '\n')
    const lines = source.slice(declared.index).split('\n')
    return { place: `${file}: ${name}`, hasComment: before.trimEnd().endsWith('*/'), lines }
  }
  for (const [, list = '', path = ''] of source.matchAll(/^(?:im|ex)port (?:type )?\{([^}]*)\} from '([^']+)'/gm)) {
    if (!namesIn(list).includes(name)) continue
    return path.startsWith('.') ? findDeclaration({ name, file: join(file, '..', path) }) : undefined
  }
  throw new Error(`${file} does not declare ${name}`)
}

const MEMBER = /^ {2}(?:(?:readonly|declare|static|async|get|set) )*(\w+)\??(?:<[^>]*>)?[:(]/

function membersWithoutComment({ place, lines: [first = '', ...lines] }: Declaration): string[] {
  if (!/^(export )?(interface|class|type) .*\{$/.test(first)) return []
  const members = lines.slice(0, lines.indexOf('}'))
  return members.flatMap((line, i) => {
    const member = MEMBER.exec(line)?.[1]
    if (member === undefined || member === 'constructor') return []
    return i > 0 && members[i - 1]?.endsWith('*/') ? [] : [`${place}.${member}`]
  })
}
