import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { exportsOf } from './declarations.ts'
import { reasonOf } from './exceptions.ts'
import { type Block, blocksOf, placeOf, root } from './pages.ts'

const run = promisify(execFile)
const GENERATED = join(import.meta.dirname, 'generated')
const CODE = new Set(['ts', 'tsx', 'js', 'mjs'])

/** The settings of the house, which the sources need, and those of the frameworks. */
const COMPILER_OPTIONS = {
  ...{ noEmit: true, jsx: 'react-jsx', allowJs: true, noUncheckedIndexedAccess: false },
  ...{ experimentalDecorators: true, emitDecoratorMetadata: true, customConditions: ['@sealwax/source'] },
}

const isCode = (block: Block) =>
  CODE.has(block.lang) &&
  !block.marks.includes('theirs') &&
  !block.marks.includes('built') &&
  reasonOf(block) === undefined

const slugOf = (page: string) =>
  page
    .replace(/^docs\//, '')
    .replace(/\.md$/, '')
    .replaceAll('/', '-')
    .toLowerCase()

/** The blocks of code of a page that are no files of a reader's project. */
export function fragmentsOf(page: string): readonly Block[] {
  return blocksOf(page).filter((block) => isCode(block) && block.file === undefined)
}

const fileOf = ({ page, line, lang }: Block) =>
  join(GENERATED, slugOf(page), `line-${line}.${lang === 'js' ? 'mjs' : lang}`)

/** Writes a fragment as a module. What it does not declare comes from the setup of its page. */
function writeFragment(block: Block): void {
  const setup = join(import.meta.dirname, 'setups', `${slugOf(block.page)}.ts`)
  const taken = existsSync(setup) ? importOf(setup, block.code) : ''
  save(fileOf(block), `${taken};export {}\n${block.code}\n`)
}

/** The import, on one line, of what a fragment uses. Without any, the setup still runs. */
function importOf(setup: string, code: string): string {
  const source = readFileSync(setup, 'utf8')
  const names = exportsOf(setup)
    .map(({ name }) => name)
    .filter((name) => uses(code, name) && !declares(code, name))
    .map((name) => (new RegExp(`^export (?:type|interface) ${name}\\b`, 'm').test(source) ? `type ${name}` : name))
  const path = `'../../setups/${basename(setup)}'`
  return names.length === 0 ? `import ${path}` : `import { ${names.join(', ')} } from ${path}`
}

/** Whether a fragment has a name that is not a member of something; `...name` is not one. */
const uses = (code: string, name: string) => new RegExp(`(?<![\\w$])(?<!(?<!\\.\\.)\\.)${name}(?![\\w$])`).test(code)

/** Whether a fragment declares or imports a name at its top level. */
function declares(code: string, name: string): boolean {
  const keyword = '(?:const|let|var|(?:async )?function|class|interface|type)'
  const destructured = `(?:const|let|var) [{[][^=]*\\b${name}\\b[^=]*[}\\]] =`
  return new RegExp(`^(?:export )?(?:${keyword} ${name}\\b|${destructured})|^import [^'"]*\\b${name}\\b`, 'm').test(
    code,
  )
}

/** Writes the files that a page lets its readers save. A name that comes again begins a project. */
function writeFiles(page: string): void {
  const files = blocksOf(page).filter((block) => isCode(block) && block.file !== undefined)
  // JavaScript has no types to check; a walk runs it.
  if (!files.some(({ lang }) => lang.startsWith('ts'))) return
  const project = new Map<string, string>()
  let projects = 0
  const flush = () => {
    for (const [name, code] of project) save(join(GENERATED, slugOf(page), `project-${projects}`, name), code)
    projects += 1
  }
  for (const { file = '', code } of files) {
    if (project.has(file)) flush()
    project.set(file, code)
  }
  flush()
}

function save(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** Global types of one page would hide what is missing on another. */
const isAlone = (page: string) =>
  blocksOf(page).some(({ code }) => /declare (?:global|module)|express\/global/.test(code))

/**
 * Writes the code of pages as modules and checks its types. Returns what is wrong, with the line of
 * the page.
 */
export async function checkTypes(pages: readonly string[]): Promise<readonly string[]> {
  const groups = [pages.filter((page) => !isAlone(page)), ...pages.filter(isAlone).map((page) => [page])]
  const faults: string[] = []
  for (const group of groups.filter(({ length }) => length > 0)) faults.push(...(await compile(group)))
  return faults
}

async function compile(pages: readonly string[]): Promise<readonly string[]> {
  for (const page of pages) {
    rmSync(join(GENERATED, slugOf(page)), { recursive: true, force: true })
    for (const block of fragmentsOf(page)) writeFragment(block)
    writeFiles(page)
  }
  if (!pages.some((page) => existsSync(join(GENERATED, slugOf(page))))) return [] // tsc refuses a project without files
  const config = join(GENERATED, `tsconfig.${slugOf(pages[0] as string)}.json`)
  const include = pages.map((page) => `${slugOf(page)}/**/*`)
  save(config, JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions: COMPILER_OPTIONS, include }))
  const tsc = join(root, 'node_modules/.bin/tsc')
  const failed = await run(tsc, ['--pretty', 'false', '-p', config], { cwd: GENERATED }).then(
    () => undefined,
    (error: { stdout: string; message: string }) => error,
  )
  if (failed === undefined) return []
  const lines = failed.stdout.split('\n').filter((line) => /error TS/.test(line))
  const pageOf = new Map(pages.map((page) => [slugOf(page), page]))
  return (lines.length === 0 ? [failed.message] : lines).map((line) =>
    line.replace(
      /^([\w.-]+)\/(?:line-(\d+)\.\w+)?(.*?)\((\d+),/,
      (_, slug, block, file, inner) =>
        `${pageOf.get(slug)}:${block === undefined ? ` ${file}:${inner}` : Number(block) + Number(inner) - 2} (`,
    ),
  )
}

const LONGEST_MS = 60_000

/** Runs the fragments of a page, which {@link checkTypes} has written. Returns what is wrong. */
export async function runFragments(page: string): Promise<readonly string[]> {
  const files = fragmentsOf(page).map((block) => [placeOf(block), fileOf(block)])
  if (files.length === 0) return []
  const args = ['--conditions=@sealwax/source', '--no-warnings', join(import.meta.dirname, 'run-fragments.ts')]
  const options = { cwd: join(GENERATED, slugOf(page)), timeout: LONGEST_MS }
  const { stdout, stderr } = await run(process.execPath, [...args, JSON.stringify(files)], options).catch(
    (error: { stdout: string; stderr: string }) => error,
  )
  const faults = stdout
    .split('\n')
    .filter((line) => line.startsWith('FAULT '))
    .map((line) => line.slice(6))
  const isComplete = stdout.endsWith('ran all\n')
  return isComplete ? faults : [...faults, `${page}: not all fragments ran: ${stderr.trim().split('\n').at(-1)}`]
}
