import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')

const SRC = 'packages/sealwax/src/'
/**
 * The features, in the same order as in `features.ts`. Each one imports only from those before it.
 */
const FEATURES = ['revocations', 'signing-keys', 'dpop', 'sessions', 'mail', 'throttling', 'accounts', 'oauth', 'pages']
const FOLDERS = `{core,${FEATURES.join(',')}}`
/** What the rules of every feature may import. */
const GROUND = [`${SRC}core/`, `${SRC}errors.ts`, '@sealwax/jwt', '@sealwax/guard']

/**
 * Which files may import what, types included. `files` is a glob. `may` lists prefixes of what an
 * import resolves to: `own:` for a file of the same feature, `features:` for a file of any feature,
 * `type:` for a type-only import. Only the first rule that matches a file applies. Another test
 * checks which features a feature may import.
 */
const RULES: readonly { room: string; files: string; may: readonly string[] }[] = [
  {
    room: 'jwt, crypto',
    files: 'packages/jwt/src/{keys,key-objects,pem,signature}.ts',
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
    room: 'client',
    files: 'packages/client/src/**/*.ts',
    may: ['packages/client/src/', 'react'],
  },
  {
    room: 'sandbox',
    files: 'packages/web/src/learn/exercise/{in-worker,*-worker,failure,provided,try-*}.ts',
    may: ['packages/web/src/learn/exercise/', 'packages/web/src/token/base64url.ts', 'hono'],
  },
  {
    room: 'code that the lesson shows',
    files: 'packages/web/src/learn/guard-code.ts',
    may: ['@sealwax/guard', 'express', 'fastify', 'hono'],
  },
  {
    room: 'web',
    files: 'packages/web/src/**/*.{ts,tsx}',
    may: ['packages/web/src/', '@sealwax/jwt', 'preact'],
  },
  {
    room: 'declarations',
    files: `${SRC}{${FEATURES.join(',')}}/feature.ts`,
    may: ['own:', `type:${SRC}feature.ts`],
  },
  { room: 'contracts', files: `${SRC}${FOLDERS}/{contract,*-contract}.ts`, may: [`${SRC}core/unit-of-work.ts`] },
  {
    room: 'queries',
    files: `${SRC}${FOLDERS}/{queries,*-queries,tables,transaction-cursor}.ts`,
    may: [
      ...[`${SRC}core/tables.ts`, `${SRC}core/unit-of-work.ts`, `${SRC}core/metadata-contract.ts`],
      ...[
        'own:contract',
        'own:queries',
        'own:tables',
        'own:subject',
        'own:exchange-contract',
        'own:audit-contract',
        'own:metadata-contract',
        'own:one-time-tokens-contract',
      ],
      ...['own:transaction-cursor', `${SRC}store/prepared.ts`, `${SRC}errors.ts`, 'kysely'],
    ],
  },
  {
    room: 'routes',
    files: `${SRC}${FOLDERS}/{routes,*-routes,schemas,client-authentication,page-cache}.ts`,
    may: ['features:', ...GROUND, `${SRC}http/`, 'hono', '@hono/', 'node:util', 'node:zlib'],
  },
  {
    room: 'commands',
    files: `${SRC}${FOLDERS}/{commands,*-commands}.ts`,
    may: ['features:', ...GROUND, `${SRC}cli/command.ts`, 'node:stream/consumers', 'node:fs/promises'],
  },
  {
    room: 'built pages',
    files: `${SRC}pages/files.ts`,
    may: ['node:crypto', 'node:fs', 'node:path', 'node:url', 'node:util', 'node:zlib'],
  },
  {
    room: 'core',
    files: `${SRC}core/*.ts`,
    may: [...GROUND, 'type:kysely', 'node:crypto', 'node:net', 'node:os'],
  },
  {
    room: 'rules',
    files: `${SRC}${FOLDERS}/*.ts`,
    may: [
      'features:',
      ...GROUND,
      '@node-rs/argon2',
      '@node-rs/bcrypt',
      'type:nodemailer',
      'node:crypto',
      'node:net',
      'node:url',
      'node:util',
    ],
  },
  {
    room: 'store',
    files: `${SRC}store/**/*.ts`,
    may: [`${SRC}store/`, `${SRC}core/`, `${SRC}errors.ts`, 'kysely', 'postgres', 'node:'],
  },
  {
    room: 'http',
    files: `${SRC}http/**/*.ts`,
    may: [
      ...[`${SRC}http/`, `${SRC}core/`, `${SRC}errors.ts`, `${SRC}version.ts`, '@sealwax/guard', 'hono', '@hono/'],
      ...['node:net', 'node:http', 'node:util'],
    ],
  },
  { room: 'cli', files: `${SRC}cli/*.ts`, may: [SRC, '@sealwax/jwt/internal', 'commander', 'pino', 'node:'] },
  {
    room: 'attack',
    files: `${SRC}attack/*.ts`,
    may: [`${SRC}attack/`, `${SRC}errors.ts`, '@sealwax/guard', '@sealwax/jwt', 'node:'],
  },
  {
    room: 'lesson',
    files: `${SRC}learn/*.ts`,
    may: [SRC, '@sealwax/guard', 'hono', 'node:crypto', 'node:http', 'node:net'],
  },
  { room: 'adapters', files: `${SRC}adapters/*.ts`, may: ['@sealwax/guard/'] },
  { room: 'composition', files: `${SRC}*.ts`, may: [SRC, '@sealwax/', 'node:crypto'] },
]

interface Import {
  readonly file: string
  readonly target: string
  readonly typeOnly: boolean
}

const files = globSync('packages/*/src/**/*.{ts,tsx}', { cwd: root }).map((file) => file.replaceAll('\\', '/'))

function importsOf(file: string): Import[] {
  const source = readFileSync(join(root, file), 'utf8')
  const found = source.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm)
  return [...found].map((match) => {
    const specifier = (match[2] ?? match[3]) as string
    const target = specifier.startsWith('.') ? posix.join(dirname(file), specifier) : specifier
    return { file, target, typeOnly: match[1] !== undefined }
  })
}

function allows(prefix: string, { file, target, typeOnly }: Import): boolean {
  if (prefix.startsWith('type:')) return typeOnly && target.startsWith(prefix.slice(5))
  if (prefix.startsWith('own:')) return target.startsWith(`${dirname(file)}/${prefix.slice(4)}`)
  // Any file of a feature except its queries: rules do not know SQL.
  if (prefix === 'features:') return featureOf(target) !== undefined && !/\/([\w-]+-)?queries\.ts$/.test(target)
  return target.startsWith(prefix)
}

function featureOf(file: string): string | undefined {
  return FEATURES.find((name) => file.startsWith(`${SRC}${name}/`))
}

test('architecture: every file imports only what its rule allows', () => {
  const seen = new Set<string>()
  const wrong: string[] = []
  for (const { room, files: pattern, may } of RULES) {
    const own = globSync(pattern, { cwd: root }).filter((file) => !seen.has(file))
    assert.ok(own.length > 0, `the rule for "${room}" matches no file`)
    for (const file of own) {
      seen.add(file)
      for (const { target, typeOnly } of importsOf(file)) {
        if (!may.some((prefix) => allows(prefix, { file, target, typeOnly })))
          wrong.push(`${file} (${room}) imports ${target}`)
      }
    }
  }
  assert.deepEqual(wrong, [])
  assert.deepEqual(
    files.filter((file) => !seen.has(file)),
    [],
    'files that no rule matches',
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

test('architecture: a feature imports only from features before it in features.ts', async () => {
  const source = readFileSync(join(root, SRC, 'features.ts'), 'utf8')
  const listed = [...source.matchAll(/from '\.\/([\w-]+)\/feature\.ts'/g)].map((match) => match[1])
  assert.deepEqual(listed.toSorted(), FEATURES.toSorted())
  const { features } = await import(join(root, SRC, 'features.ts'))
  const order = features.map(({ name }: { name: string }) => name)
  assert.deepEqual(order, ['core', ...FEATURES])
  const wrong = files
    .flatMap(importsOf)
    .filter(({ file, target }) => order.indexOf(featureOf(target) ?? '') > order.indexOf(featureOf(file) ?? ''))
    .filter(({ file }) => featureOf(file) !== undefined)
  assert.deepEqual(wrong, [])
})

test('architecture: there are no import cycles, types included', () => {
  const graph = new Map(files.map((file) => [file, importsOf(file).map(({ target }) => target)]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' > '))
    if (done.has(file) || path.includes(file)) return
    for (const target of graph.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  assert.deepEqual(cycles, [])
})

test('architecture: only cli/settings.ts reads the environment', () => {
  const readers = files.filter((file) => /\bprocess\.env\b/.test(readFileSync(join(root, file), 'utf8')))
  assert.deepEqual(readers, ['packages/sealwax/src/cli/settings.ts'])
})

test('architecture: features and core do not use the system clock or Math.random', () => {
  const own = files.filter((file) => featureOf(file) !== undefined || file.startsWith(`${SRC}core/`))
  const wrong = own.filter((file) => /Date\.now|Math\.random|new Date\(\)/.test(readFileSync(join(root, file), 'utf8')))
  assert.ok(own.length > 5)
  assert.deepEqual(wrong, [])
})

test('architecture: files have at most 300 lines, and none is a collection of utilities', () => {
  const long = files.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 301)
  const drawers = files.filter((file) =>
    /(^|[/-])(utils?|helpers?|common|misc)(\.|\/|-)/.test(relative('packages', file)),
  )
  assert.deepEqual(long, [])
  assert.deepEqual(drawers, [])
})

test('architecture: there is no default export and no `export *`', () => {
  const wrong = files.filter((file) => /^export (default|\*)/m.test(readFileSync(join(root, file), 'utf8')))
  assert.deepEqual(wrong, [])
})
