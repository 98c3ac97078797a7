import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')

/** Who may import what. `files` are globs; `may` are prefixes of what an import resolves to. The first rule that matches a file holds. */
const RULES: readonly { room: string; files: string; may: readonly string[] }[] = [
  {
    room: 'jwt, crypto',
    files: 'packages/jwt/src/{keys,signature}.ts',
    may: ['packages/jwt/src/', 'node:crypto', 'node:util'],
  },
  { room: 'jwt', files: 'packages/jwt/src/**/*.ts', may: ['packages/jwt/src/'] },
  {
    room: 'guard, adapters',
    files: 'packages/guard/src/adapters/*.ts',
    may: ['packages/guard/src/', 'type:', '@nestjs/common'],
  },
  { room: 'guard', files: 'packages/guard/src/**/*.ts', may: ['packages/guard/src/', '@sealwax/jwt', 'node:crypto'] },
  {
    room: 'engine',
    files: 'packages/sealwax/src/engine/*.ts',
    may: [
      ...['packages/sealwax/src/engine/', 'packages/sealwax/src/store/contract/', 'packages/sealwax/src/errors.ts'],
      ...['@sealwax/jwt', '@node-rs/argon2', 'node:crypto', 'node:os', 'node:net', 'node:url'],
      'type:packages/sealwax/src/options.ts',
    ],
  },
  {
    room: 'store contract',
    files: 'packages/sealwax/src/store/contract/*.ts',
    may: ['packages/sealwax/src/store/contract/'],
  },
  {
    room: 'store',
    files: 'packages/sealwax/src/store/**/*.ts',
    may: [
      ...['packages/sealwax/src/store/', 'packages/sealwax/src/errors.ts', 'packages/sealwax/src/members.ts'],
      ...['kysely', 'postgres', 'node:'],
    ],
  },
  {
    room: 'http',
    files: 'packages/sealwax/src/http/**/*.ts',
    may: [
      ...['packages/sealwax/src/http/', 'packages/sealwax/src/engine/', 'packages/sealwax/src/errors.ts'],
      ...[
        '@sealwax/guard',
        'hono',
        '@hono/',
        'node:net',
        'node:http',
        'node:util',
        'node:zlib',
        'packages/sealwax/src/version.ts',
        'packages/sealwax/src/members.ts',
      ],
      ...['type:packages/sealwax/src/options.ts', 'type:packages/sealwax/src/auth-server.ts'],
    ],
  },
  {
    room: 'cli',
    files: 'packages/sealwax/src/cli/*.ts',
    may: ['packages/sealwax/src/', 'commander', 'pino', 'node:'],
  },
  { room: 'adapters', files: 'packages/sealwax/src/adapters/*.ts', may: ['@sealwax/guard/'] },
  {
    room: 'composition',
    files: 'packages/sealwax/src/*.ts',
    may: ['packages/sealwax/src/', '@sealwax/', 'node:crypto', 'node:net'],
  },
]

/** Within the engine each file may import what stands left of it. */
const ENGINE_ORDER = [
  ...[
    'context',
    'secrets',
    'network',
    'origin',
    'audit-counts',
    'shares',
    'audit',
    'revocations',
    'installation',
    'issuer',
    'feed',
    'passwords',
    'key-schedule',
    'keys',
    'tokens',
    'subjects',
    'client-fields',
    'clients',
    'grants',
    'subject-versions',
    'sessions',
    'session-list',
    'users',
  ],
  ...['key-rotation', 'wrapping', 'refresh-table', 'refresh', 'introspection', 'login', 'purge', 'jobs'],
]

interface Import {
  readonly file: string
  readonly target: string
  readonly typeOnly: boolean
}

const files = globSync('packages/*/src/**/*.ts', { cwd: root }).map((file) => file.replaceAll('\\', '/'))

function importsOf(file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8')
  const found = source.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm)
  return [...found].map((match) => {
    const specifier = (match[2] ?? match[3]) as string
    const target = specifier.startsWith('.') ? posix.join(dirname(file), specifier) : specifier
    return { file, target, typeOnly: match[1] !== undefined }
  })
}

test('architecture: every file imports only what its room may', () => {
  const seen = new Set<string>()
  const wrong: string[] = []
  for (const { room, files: pattern, may } of RULES) {
    const own = globSync(pattern, { cwd: root }).filter((file) => !seen.has(file))
    assert.ok(own.length > 0, `the rule for "${room}" matches no file`)
    for (const file of own) {
      seen.add(file)
      for (const { target, typeOnly } of importsOf(file)) {
        const allowed = may.some((prefix) =>
          prefix.startsWith('type:') ? typeOnly && target.startsWith(prefix.slice(5)) : target.startsWith(prefix),
        )
        if (!allowed) wrong.push(`${file} (${room}) imports ${target}`)
      }
    }
  }
  assert.deepEqual(wrong, [])
  assert.deepEqual(
    files.filter((file) => !seen.has(file)),
    [],
    'a file that no rule speaks of',
  )
})

test('architecture: no adapter imports another', () => {
  const adapters = files.filter((file) => file.includes('guard/src/adapters/'))
  assert.ok(adapters.length >= 3)
  const wrong = adapters.flatMap(importsOf).filter(({ target }) => target.includes('/adapters/'))
  assert.deepEqual(
    wrong.filter(({ file }) => !file.endsWith('express-global.ts')),
    [],
  )
})

test('architecture: an engine file imports only what stands left of it', () => {
  const own = files.filter((file) => file.startsWith('packages/sealwax/src/engine/'))
  const place = (file: string) => ENGINE_ORDER.indexOf(posix.basename(file, '.ts'))
  assert.deepEqual(
    own.filter((file) => place(file) < 0),
    [],
    'an engine file that has no place in the order',
  )
  const wrong = own
    .flatMap(importsOf)
    .filter(({ target, typeOnly }) => target.startsWith('packages/sealwax/src/engine/') && !typeOnly)
    .filter(({ file, target }) => place(target) >= place(file))
  assert.deepEqual(wrong, [])
})

test('architecture: the environment is read by cli/env.ts alone', () => {
  const readers = files.filter((file) => /\bprocess\.env\b/.test(readFileSync(join(root, file), 'utf8')))
  assert.deepEqual(readers, ['packages/sealwax/src/cli/env.ts'])
})

test('architecture: the engine has no clock and no randomness of its own', () => {
  const own = files.filter((file) => file.startsWith('packages/sealwax/src/engine/'))
  const wrong = own.filter((file) => /Date\.now|Math\.random|new Date\(\)/.test(readFileSync(join(root, file), 'utf8')))
  assert.ok(own.length > 5)
  assert.deepEqual(wrong, [])
})

test('architecture: files are short and none is a drawer', () => {
  const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 301)
  const drawers = files.filter((file) =>
    /(^|[/-])(utils?|helpers?|common|misc)(\.|\/|-)/.test(relative('packages', file)),
  )
  assert.deepEqual(long, [])
  assert.deepEqual(drawers, [])
})

test('architecture: no default export and no export of everything', () => {
  const wrong = files.filter((file) => /^export (default|\*)/m.test(readFileSync(join(root, file), 'utf8')))
  assert.deepEqual(wrong, [])
})
