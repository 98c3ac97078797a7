import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { type Exported, exportsOf, findDeclaration } from '../docs-check/declarations.ts'

const root = join(import.meta.dirname, '..')
const sources = globSync(
  [
    'packages/*/{src,test,torture,drill,fuzz,mutation}/**/*.ts',
    'bench/*.ts',
    'browser/**/*.ts',
    'docs-check/*.ts',
    'examples/*/*.ts',
    'examples/*/{src,test}/**/*.ts',
    'docs-check/setups/*.ts',
    'test/*.ts',
    'tools/*.ts',
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
    entry['@sealwax/source'] === undefined ? [] : [join(root, manifest, '..', entry['@sealwax/source'])],
  ),
)

test('style: everything that an entry point exports has a comment, and so does each of its members', () => {
  assert.ok(entryPoints.length >= 20)
  const checked = new Set<string>()
  const missing = entryPoints.flatMap(exportsOf).flatMap((exported) => {
    const found = declarationOf(exported)
    if (found === undefined || checked.has(found.place)) return []
    checked.add(found.place)
    return [...(found.hasComment ? [] : [found.place]), ...membersWithoutComment(found)]
  })
  assert.ok(checked.size > 100)
  assert.deepEqual(missing, [])
})

interface Declaration {
  readonly place: string
  readonly hasComment: boolean
  /** The lines from the declaration to the end of the file. */
  readonly lines: readonly string[]
}

/** Returns `undefined` for a name that another package declares. */
function declarationOf(exported: Exported): Declaration | undefined {
  const found = findDeclaration(exported)
  if (typeof found === 'string') return undefined
  const { file, source, indexes } = found
  const before = source.slice(0, indexes[0]).replace(/(\n\/\/ biome-ignore .*)+\n$/, '\n')
  const lines = source.slice(indexes[0]).split('\n')
  return { place: `${relative(root, file)}: ${exported.name}`, hasComment: before.trimEnd().endsWith('*/'), lines }
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
