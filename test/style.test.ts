import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const sources = globSync(['packages/*/{src,test,torture,drill,fuzz,mutation}/**/*.ts', 'bench/*.ts', 'test/*.ts'], {
  cwd: root,
})

/** Columns that a comment may take. */
const WIDTH = 100

test('style: comments keep within 100 columns', () => {
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

/** Exported names of the entry points of a package. */
const entries = globSync('packages/*/src/index.ts', { cwd: root })

test('style: whatever an entry point exports has a comment where it is declared', () => {
  const missing = entries.flatMap((entry) => {
    const source = readFileSync(join(root, entry), 'utf8')
    return [...source.matchAll(/export (?:type )?\{([^}]*)\} from '(\.[^']+)'/g)].flatMap(([, names = '', path = '']) =>
      names
        .split(',')
        .map((name) => name.replace('type ', '').trim())
        .filter((name) => name !== '' && !hasComment(join(entry, '..', path), name))
        .map((name) => `${entry}: ${name}`),
    )
  })
  assert.deepEqual(missing, [])
})

function hasComment(file: string, name: string): boolean {
  const source = readFileSync(join(root, file), 'utf8')
  const declared = new RegExp(`export (?:async |declare )?(?:function|const|class|interface|type) ${name}\\b`).exec(
    source,
  )
  // Passed on from another file.
  if (declared === null) return new RegExp(`\\b${name}\\b`).test(source)
  return source.slice(0, declared.index).trimEnd().endsWith('*/')
}
