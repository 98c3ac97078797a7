import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startPostgres } from '../packages/sealwax/test/postgres.ts'
import { reasonOf } from './exceptions.ts'
import { matchesOutput } from './output.ts'
import { type Block, blocksOf, placeOf, root } from './pages.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/**
 * A server that was just started may need a moment. The option `--retry` of curl would also repeat
 * requests that a page expects to be refused, with 429 or 503.
 */
const PATIENT_CURL = `#!/bin/sh
PATH=$(echo "$PATH" | cut -d: -f2-)
for attempt in $(seq 60); do
  curl "$@" && exit
  code=$?
  [ $code = 7 ] || exit $code
  sleep 1
done
exit 7
`

/** In a condition, bash would ignore `set -e`, and so the failure of all but the last command. */
const MUST_FAIL = `set +e
( set -e
CODE
)
[ $? -ne 0 ] || { echo 'did not fail'; exit 1; }
set -e`

const NPM_CACHE = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim()

/** What happened on a walk. */
export interface Walk {
  readonly commands: number
  readonly faults: readonly string[]
  readonly left: readonly string[]
}

const isCommand = ({ lang }: Block) => lang === 'sh'
const needsPostgres = (block: Block) =>
  isCommand(block) && reasonOf(block) === undefined && block.code.includes('$OWNER_URL')
const isOutput = ({ marks }: Block) => marks.includes('output')

/** Whether a page has commands to type. */
export const isWalk = (page: string): boolean =>
  blocksOf(page).some((block) => isCommand(block) && reasonOf(block) === undefined)

let clone: string | undefined

/**
 * The files of the repository after `npm ci`, where the pages of the examples are walked. Changes
 * that are not committed are included.
 */
function cloneOfRepository(): string {
  if (clone !== undefined) return clone
  const folder = mkdtempSync(join(tmpdir(), 'sealwax-clone-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const files = execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\0')
  for (const file of files.filter((one) => one !== '' && existsSync(join(root, one)))) {
    cpSync(join(root, file), join(folder, file))
  }
  execFileSync('npm', ['ci', '--silent'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  clone = folder
  return folder
}

/**
 * Follows a page in an empty folder, or that of an example in a clone: saves the files, types the
 * commands, and compares what they print with what the page shows. A block marked `server` goes on
 * running; one marked `fails` must fail.
 */
export async function walk(page: string, registry: string): Promise<Walk> {
  const place = mkdtempSync(join(tmpdir(), 'sealwax-walk-'))
  const home = join(place, 'home')
  const folder = page.startsWith('examples/') ? cloneOfRepository() : join(place, 'project')
  mkdirSync(home)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(home, '.curlrc'), 'silent\n')
  mkdirSync(join(home, 'bin'))
  writeFileSync(join(home, 'bin/curl'), PATIENT_CURL, { mode: 0o755 })
  const postgres = blocksOf(page).some(needsPostgres) ? await startPostgres() : undefined
  const owner = postgres && { OWNER_URL: await postgres.createDatabase() }
  const terminal = openTerminal(folder, { ...environment(home, registry), ...owner })
  const left: string[] = []
  let commands = 0
  let last: Block | undefined
  let printed = ''
  const failed = (fault: string): Walk => {
    const servers = terminal.printedByServers()
    return { commands, left, faults: [servers === '' ? fault : `${fault}\nThe servers printed:\n${servers}`] }
  }
  try {
    for (const block of blocksOf(page)) {
      const reason = reasonOf(block)
      if (reason !== undefined) left.push(`${placeOf(block)}: ${reason}`)
      else if (block.file !== undefined) save(folder, block)
      else if (isCommand(block)) {
        last = block
        commands += 1
        const result = await type(terminal, block)
        printed = result.output
        if (result.code !== 0) return failed(`${placeOf(block)}: failed with ${result.code}\n${printed}`)
      } else if (isOutput(block) && !matchesOutput(block.code, printed)) {
        return failed(`${placeOf(block)}: the command of line ${last?.line} printed something else:\n${printed}`)
      }
    }
    return { commands, left, faults: [] }
  } catch (error) {
    return failed(`${last && placeOf(last)}: ${error instanceof Error ? error.message : error}`)
  } finally {
    await terminal.close()
    await postgres?.remove()
    rmSync(place, { recursive: true, force: true })
  }
}

function type(terminal: Terminal, { code, marks }: Block) {
  if (marks.includes('server')) return terminal.start(code)
  return terminal.run(marks.includes('fails') ? MUST_FAIL.replace('CODE', () => code) : code)
}

function save(folder: string, { file = '', code }: Block): void {
  const path = join(folder, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${code}\n`)
}

/** Nothing of this machine, except how npm reaches its registry. */
function environment(home: string, registry: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|https?_proxy|no_proxy|npm_config_(?!registry|prefix).*)$/i.test(name),
  )
  const path = [join(home, 'bin'), dirname(process.execPath), ...(process.env.PATH ?? '').split(':')]
  // `pyenv` would hide the Python that has Debian's packages.
  const isOurs = (part: string) => /node_modules\/\.bin|\.pyenv/.test(part)
  return {
    ...Object.fromEntries(kept),
    PATH: path.filter((part) => !isOurs(part)).join(':'),
    HOME: home,
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    npm_config_registry: registry,
    npm_config_cache: NPM_CACHE,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    npm_config_yes: 'true',
    npm_config_prefer_offline: 'true',
    npm_config_fetch_retries: '1',
    npm_config_fetch_timeout: '60000',
  }
}
