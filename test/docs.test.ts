import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { AUTH_ERRORS } from 'sealwax'
import { openApiText } from '../packages/sealwax/src/cli/openapi.ts'
import { VARIABLES } from '../packages/sealwax/src/cli/settings.ts'
import { auditEventTypes } from '../packages/sealwax/src/core/events.ts'
import { features } from '../packages/sealwax/src/features.ts'
import { mailKinds } from '../packages/sealwax/src/mail/kinds.ts'
import { OPTION_RULES } from '../packages/sealwax/src/options.ts'
import { sidebar } from '../site/.vitepress/sidebar.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = globSync(['*.md', 'docs/**/*.md', 'examples/*/README.md', 'packages/*/README.md'], { cwd: root })

test('docs: errors.md names every error code of the API, the guard and the tokens', () => {
  const page = read('docs/errors.md')
  const jwt = read('packages/jwt/src/errors.ts').match(/ERR_JWT_[A-Z_]+/g) ?? []
  const guard = [...read('packages/guard/src/error-table.ts').matchAll(/^ {2}\| '(\w+)'$/gm)].map(
    (match) => match[1] as string,
  )
  assert.ok(jwt.length > 10 && guard.length > 15)
  const missing = [...Object.keys(AUTH_ERRORS), ...guard, ...jwt].filter((code) => !page.includes(`\`${code}\``))
  assert.deepEqual([...new Set(missing)], [])
})

test('docs: configuration.md names every option and every environment variable', () => {
  const page = read('docs/configuration.md')
  assert.deepEqual(
    [...OPTION_RULES.keys(), ...VARIABLES].filter((name) => !page.includes(`\`${name}\``)),
    [],
  )
})

test('docs: sessions.md names every audit event', () => {
  const page = read('docs/sessions.md')
  const events = auditEventTypes()
  assert.ok(events.length > 10)
  assert.deepEqual(
    events.filter((event) => !page.includes(`\`${event}\``)),
    [],
  )
})

test('docs: mail.md names every kind of mail and its values', () => {
  const page = read('docs/mail.md')
  const kinds = [...mailKinds({ features })]
  assert.ok(kinds.length > 0)
  const missing = kinds.flatMap(([kind, { values }]) => {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${kind}\``)) ?? ''
    return [kind, ...values].filter((name) => !row.includes(`\`${name}\``)).map((name) => `${kind}: ${name}`)
  })
  assert.deepEqual(missing, [])
})

test('docs: every export of every package is named on a page', async () => {
  const text = pages.map(read).join('\n')
  const missing: string[] = []
  let seen = 0
  for (const path of globSync('packages/*/package.json', { cwd: root })) {
    const { name, exports = {} } = JSON.parse(read(path)) as { name: string; exports?: Record<string, unknown> }
    for (const subpath of Object.keys(exports)) {
      for (const exported of Object.keys(await import(join(name, subpath)))) {
        seen += 1
        if (!new RegExp(`\\b${exported}\\b`).test(text)) missing.push(`${join(name, subpath)}: ${exported}`)
      }
    }
  }
  assert.ok(seen > 20)
  assert.deepEqual(missing, [])
})

test('docs: links between pages point to existing files', () => {
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map((match) => match[1] as string)
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page} → ${target}`),
  )
  assert.ok(pages.length > 5)
  assert.deepEqual(broken, [])
})

test('docs: every page is in the table of the README and in the navigation of the site', () => {
  const tasks = globSync('docs/*.md', { cwd: root })
  const readme = read('README.md')
  const linked = (page: string) => readme.includes(`](${page})`)
  assert.deepEqual(
    tasks.filter((page) => !linked(page)),
    [],
  )
  const links = sidebar.flatMap(({ items }) => items.map(({ link }) => link))
  const shown = (page: string) => links.includes(`/${page.replace(/\.md$/, '')}`)
  assert.deepEqual(
    tasks.filter((page) => !shown(page)),
    [],
  )
  const files = links.map((link) => (link.endsWith('/') ? `.${link}README.md` : `.${link}.md`))
  assert.deepEqual(
    files.filter((file) => !existsSync(join(root, file))),
    [],
  )
  const moving = globSync('docs/moving/*.md', { cwd: root }).filter((page) => !page.endsWith('README.md'))
  const index = read('docs/moving/README.md')
  assert.deepEqual(
    moving.filter((page) => !index.includes(`](${basename(page)})`)),
    [],
  )
})

test('docs: the reference names every export of every package, and every route', async () => {
  for (const [folder, page] of ['jwt', 'guard', 'client', 'sealwax'].map((name) => [
    name,
    `docs/reference/${name}.md`,
  ])) {
    const { name, exports } = JSON.parse(read(`packages/${folder}/package.json`)) as Manifest
    const text = read(page as string)
    for (const subpath of Object.keys(exports).filter((one) => one !== './internal')) {
      const [, section = ''] = text.split(`## \`${join(name, subpath)}\`\n`)
      const own = section.split('\n## ')[0] as string
      const missing = Object.keys(await import(join(name, subpath))).filter((one) => !own.includes(`### ${one}\n`))
      assert.deepEqual(missing, [], join(name, subpath))
    }
  }
  const routes = read('docs/reference/routes.md')
  const { paths } = JSON.parse(await openApiText({ issuer: 'https://auth.example.com', basePath: '' }))
  const missing = Object.entries<object>(paths).flatMap(([path, item]) =>
    Object.keys(item)
      .map((method) => `${method.toUpperCase()} ${path}`)
      .filter((route) => !routes.includes(`\`${route}\``)),
  )
  assert.deepEqual(missing, [])
})

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
}
