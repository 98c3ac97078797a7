import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { AUTH_ERRORS } from 'sealwax'
import { VARIABLES } from '../packages/sealwax/src/cli/settings.ts'
import { auditEventTypes } from '../packages/sealwax/src/core/events.ts'
import { features } from '../packages/sealwax/src/features.ts'
import { mailKinds } from '../packages/sealwax/src/mail/kinds.ts'
import { OPTION_RULES } from '../packages/sealwax/src/options.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = globSync(['*.md', 'docs/**/*.md', 'examples/*/README.md'], { cwd: root })

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
