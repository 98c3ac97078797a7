import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { isExcepted } from './exceptions.ts'
import { type Block, blocksOf, placeOf, root } from './pages.ts'

const run = promisify(execFile)
const GENERATED = join(import.meta.dirname, 'generated')
const CODE = new Set(['ts', 'tsx', 'js', 'mjs'])

/** The settings of the house, which the sources need, without those that are about style. */
const CONFIG = {
  extends: '../../../tsconfig.base.json',
  compilerOptions: {
    noEmit: true,
    jsx: 'react-jsx',
    allowJs: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    noPropertyAccessFromIndexSignature: false,
    noUncheckedIndexedAccess: false,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    customConditions: ['@sealwax/source'],
  },
  include: ['./**/*'],
}

const isCode = ({ lang, marks }: Block) => CODE.has(lang) && !marks.includes('theirs') && !marks.includes('declaration')
const slugOf = (page: string) =>
  page
    .replace(/^docs\//, '')
    .replace(/\.md$/, '')
    .replaceAll('/', '-')
    .toLowerCase()

/** The file that declares what the fragments of a page take for granted, if there is one. */
function setupOf(page: string): string | undefined {
  const file = join(import.meta.dirname, 'setups', `${slugOf(page)}.ts`)
  return existsSync(file) ? file : undefined
}

/** Names that a setup exports. */
function exportsOf(setup: string): readonly string[] {
  return [
    ...readFileSync(setup, 'utf8').matchAll(/^export (?:declare )?(?:async )?(?:const|function|class|let) (\w+)/gm),
  ].map(([, name]) => name as string)
}

const typesOf = (setup: string): readonly string[] =>
  [...readFileSync(setup, 'utf8').matchAll(/^export (?:type|interface) (\w+)/gm)].map(([, name]) => name as string)

/** The blocks of code of a page that are no files of a reader's project. */
export function fragmentsOf(page: string): readonly Block[] {
  return blocksOf(page).filter((block) => isCode(block) && block.file === undefined && !isExcepted(block))
}

const fileOf = (folder: string, block: Block) =>
  join(folder, `line-${block.line}.${block.lang === 'js' ? 'mjs' : block.lang}`)

/** Writes the fragments of a page: modules that see the exports of the setup as globals. */
function writeFragments(page: string): string | undefined {
  const fragments = fragmentsOf(page)
  if (fragments.length === 0) return undefined
  const folder = join(GENERATED, slugOf(page))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const setup = setupOf(page)
  if (setup !== undefined) {
    const path = `../../setups/${basename(setup)}`
    const lines = [
      ...exportsOf(setup).map((name) => `  var ${name}: typeof import('${path}').${name}`),
      ...typesOf(setup).map((name) => `  type ${name} = import('${path}').${name}`),
    ]
    writeFileSync(join(folder, 'globals.d.ts'), `declare global {\n${lines.join('\n')}\n}\nexport {}\n`)
  }
  for (const block of fragments) writeFileSync(fileOf(folder, block), `export {};\n${block.code}\n`)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG))
  return folder
}

/** Writes the files that a page tells its readers to save. The later one of a name replaces it. */
function writeFiles(page: string): string | undefined {
  const files = blocksOf(page).filter((block) => isCode(block) && block.file !== undefined && !isExcepted(block))
  // JavaScript has no types to check; a walk runs it.
  if (!files.some(({ lang }) => lang.startsWith('ts'))) return undefined
  const folder = join(GENERATED, `${slugOf(page)}-files`)
  rmSync(folder, { recursive: true, force: true })
  const project = new Map<string, string>()
  let state = 0
  const flush = () => {
    for (const [name, code] of project) {
      const path = join(folder, String(state), name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, code)
    }
    state += 1
  }
  for (const { file = '', code } of files) {
    if (project.has(file)) flush()
    project.set(file, code)
  }
  flush()
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG))
  return folder
}

/**
 * Checks the types of all code on a page, and runs its fragments. Returns what is wrong, with the
 * line of the page.
 */
export async function checkCode(page: string): Promise<readonly string[]> {
  const folder = writeFragments(page)
  const files = writeFiles(page)
  const faults = [
    ...(folder === undefined ? [] : await checkTypes(folder)),
    ...(files === undefined ? [] : await checkTypes(files)),
  ]
  const named = faults.map((fault) =>
    fault.replace(/^\S*line-(\d+)\.\w+\((\d+),/, (_, line, inner) => `${page}:${Number(line) + Number(inner) - 2}(`),
  )
  return folder === undefined ? named : [...named, ...(await runFragments(page, folder))]
}

async function checkTypes(folder: string): Promise<readonly string[]> {
  const { stdout } = await run(join(root, 'node_modules/.bin/tsc'), ['--pretty', 'false', '-p', folder], {
    cwd: folder,
  }).catch((error: { stdout: string }) => error)
  return stdout.split('\n').filter((line) => /error TS/.test(line))
}

const LONGEST_MS = 60_000

async function runFragments(page: string, folder: string): Promise<readonly string[]> {
  const files = fragmentsOf(page).map((block) => [placeOf(block), fileOf(folder, block)])
  const args = ['--conditions=@sealwax/source', '--no-warnings', join(import.meta.dirname, 'run-fragments.ts')]
  const input = JSON.stringify({ setup: setupOf(page), files })
  const { stdout, stderr, message } = (await run(process.execPath, [...args, input], {
    cwd: folder,
    timeout: LONGEST_MS,
  }).catch((error: { stdout: string; stderr: string; message: string }) => error)) as {
    stdout: string
    stderr: string
    message?: string
  }
  const faults = stdout
    .split('\n')
    .filter((line) => line.startsWith('FAULT '))
    .map((line) => line.slice(6))
  return message === undefined || faults.length > 0
    ? faults
    : [`${page}: ${stderr.trim().split('\n').at(-1) ?? message}`]
}
