// docs/reference: every export of every package, written from its declarations and their comments.
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { openApiText } from '../packages/sealwax/src/cli/openapi.ts'
import { PACKAGES } from '../tools/pack.ts'
import { type Exported, exportsOf, findDeclaration } from './declarations.ts'
import { root } from './pages.ts'

const FOLDER = join(root, 'docs/reference')

/** A declaration with its comment. */
interface Declaration {
  readonly place: string
  readonly comment: string
  readonly text: string
}

/** Entry points that are for users: `@sealwax/jwt/internal` is not. */
function entryPoints(name: string): readonly (readonly [specifier: string, types: string])[] {
  const folder = join(root, 'packages', name)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return Object.entries<{ types: string }>(manifest.exports)
    .filter(([subpath]) => subpath !== './internal')
    .map(([subpath, { types }]) => [join(manifest.name, subpath), join(folder, types)])
}

/** A declaration as it is shown; a name of another package is a string, its specifier. */
function declarationOf(exported: Exported): Declaration | string {
  const found = findDeclaration(exported)
  if (typeof found === 'string') return found
  const { file, source, indexes } = found
  const before = source.slice(0, indexes[0]).trimEnd()
  const comment = before.endsWith('*/') ? before.slice(before.lastIndexOf('/**')) : ''
  const texts = indexes.map((index) => endAt(source.slice(index)))
  const { name } = exported
  return { place: `${file}: ${name}`, comment, text: [...texts, ...additionsTo(name)].join('\n') }
}

/** What the features of the server add to an interface by `declare module`. */
function additionsTo(name: string): readonly string[] {
  return globSync('packages/sealwax/dist/*/options.d.ts', { cwd: root })
    .sort()
    .flatMap((file) => {
      const source = readFileSync(join(root, file), 'utf8')
      const at = source.search(new RegExp(`^ {4}interface ${name} \\{`, 'm'))
      return at < 0 ? [] : [endAt(source.slice(at).replaceAll(/^ {4}/gm, ''))]
    })
}

/** The declaration at the beginning of a text, without what is private. */
function endAt(text: string): string {
  const isBlock = /^(?:export )?(?:declare |abstract )*(?:class|interface) /.test(text)
  let depth = 0
  for (const { 0: token, index } of text.matchAll(/\/\*[\s\S]*?\*\/|'(?:\\.|[^'])*'|`(?:\\.|[^`])*`|[(){}[\];]/g)) {
    if ('([{'.includes(token)) depth += 1
    else if (')]}'.includes(token)) depth -= 1
    if (depth === 0 && token === (isBlock ? '}' : ';')) return withoutPrivate(text.slice(0, index + 1))
  }
  throw new Error(`a declaration has no end: ${text.slice(0, 80)}`)
}

function withoutPrivate(text: string): string {
  return text
    .replaceAll(/^ +(?:private |#).*\n/gm, '')
    .replace(/^export /, '')
    .replace(/^declare /, '')
}

/** A comment as Markdown. */
function proseOf(comment: string): string {
  const lines = comment
    .replace(/^\/\*\*\s?/, '')
    .replace(/\s*\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, ''))
  const text = lines
    .join('\n')
    .replaceAll(/\{@link (\w+)\}/g, '`$1`')
    .trim()
  return text
    .replaceAll(/^@param (\S+) /gm, '- `$1`: ')
    .replaceAll(/^@returns? /gm, '- returns ')
    .replaceAll(/^@throws \{(\w+)\} /gm, '- throws `$1`: ')
    .replaceAll(/^@typeParam (\S+) /gm, '- `$1`: ')
    .replaceAll(/^@example\n((?:(?!- |@).*\n?)*)/gm, (_, code: string) => `\n\`\`\`ts\n${code.trim()}\n\`\`\`\n\n`)
    .replaceAll(/^@(\w+) /gm, '- $1: ')
    .replace(/(?<=[^\n])\n(?=- )/, '\n\n')
}

function pageOf(name: string, shown: Map<string, string>): string {
  const [[title = ''] = []] = entryPoints(name)
  const parts = [
    `# ${title}`,
    'Written from the declarations by `npm run docs:check -- --write-reference`. Do not edit it: edit the comments.',
  ]
  for (const [specifier, types] of entryPoints(name)) {
    parts.push(`## \`${specifier}\``)
    for (const exported of exportsOf(types).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const declaration = declarationOf(exported)
      const place = typeof declaration === 'string' ? declaration : declaration.place
      const before = shown.get(place)
      parts.push(`### ${exported.name}`)
      if (typeof declaration === 'string') parts.push(`The same as in \`${declaration}\`.`)
      else if (before !== undefined) parts.push(`The same as in \`${before}\`.`)
      else parts.push(proseOf(declaration.comment), `\`\`\`ts\n${declaration.text}\n\`\`\``)
      shown.set(place, before ?? specifier)
    }
  }
  if (name === 'sealwax') parts.push(...membersOfAuthServer())
  return `${parts.join('\n\n')}\n`
}

/** `AuthServer` is composed of the interfaces of the features, which nobody imports by name. */
function membersOfAuthServer(): readonly string[] {
  const dist = join(root, 'packages/sealwax/dist')
  const files = ['auth-server.d.ts', ...globSync('*/api.d.ts', { cwd: dist }).sort()]
  const interfaces = files.flatMap((file) => {
    const names = readFileSync(join(dist, file), 'utf8').matchAll(/^export interface (\w+(?:Api|Core)) /gm)
    return [...names].map(([, name = '']) => ({ name, file: join(dist, file) }))
  })
  return [
    '## What `AuthServer` has',
    ...interfaces.flatMap((one) => {
      const declaration = declarationOf(one)
      if (typeof declaration === 'string') return []
      return [`### ${one.name}`, proseOf(declaration.comment), `\`\`\`ts\n${declaration.text}\n\`\`\``]
    }),
  ]
}

/** Every route, from the OpenAPI document that a server has at `/openapi.json`. */
async function routesPage(): Promise<string> {
  const text = await openApiText({ issuer: 'https://auth.example.com', basePath: '' })
  const { paths, tags } = JSON.parse(text) as OpenApi
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) =>
      operation.tags === undefined ? [] : [{ ...operation, route: `\`${method.toUpperCase()} ${path}\`` }],
    ),
  )
  const parts = tags.flatMap(({ name, description }) => [
    `## ${name}`,
    description,
    [
      '| route | | needs | replies |',
      '| --- | --- | --- | --- |',
      ...operations
        .filter((operation) => operation.tags?.includes(name))
        .map(({ route, summary, security = [], responses }) => {
          const needs = [
            ...new Set(security.flatMap((one) => Object.entries(one).flatMap(([way, roles]) => [way, ...roles]))),
          ]
          return `| ${route} | ${summary} | ${needs.join(', ')} | ${Object.keys(responses).join(', ')} |`
        }),
    ].join('\n'),
  ])
  const title = '# Routes'
  const how =
    'Written from the OpenAPI document by `npm run docs:check -- --write-reference`. A server shows all members and codes at `/openapi`.'
  return `${[title, how, ...parts].join('\n\n')}\n`
}

interface OpenApi {
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly tags?: readonly string[]
  readonly summary: string
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly responses: Readonly<Record<string, unknown>>
}

/**
 * Compares the pages with the declarations of the build, or writes them. Returns those that differ.
 */
export async function checkReference(write: boolean): Promise<readonly string[]> {
  const shown = new Map<string, string>()
  const texts = [
    ...PACKAGES.map((name) => [join(FOLDER, `${name}.md`), pageOf(name, shown)] as const),
    [join(FOLDER, 'routes.md'), await routesPage()] as const,
  ]
  if (write) {
    mkdirSync(FOLDER, { recursive: true })
    for (const [file, text] of texts) writeFileSync(file, text)
  }
  return texts
    .filter(([file, text]) => !existsSync(file) || readFileSync(file, 'utf8') !== text)
    .map(([file]) => `${relative(root, file)} is not current: npm run docs:check -- --write-reference`)
}
