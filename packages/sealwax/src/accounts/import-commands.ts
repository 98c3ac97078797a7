import { open, stat } from 'node:fs/promises'
import { type Command, print } from '../cli/command.ts'
import { AuthError } from '../errors.ts'
import { type ImportCounts, type ImportRefusal, importUsers } from './import.ts'
import { type ImportFormat, readRows } from './import-files.ts'

const FORMATS: ReadonlyMap<string, ImportFormat> = new Map([
  ['csv', 'csv'],
  ['jsonl', 'jsonl'],
  ['ndjson', 'jsonl'],
])

/** How many refused rows are shown without a report. */
const MOST_SHOWN = 20

/** What `sealwax users import` takes. */
export interface ImportInput {
  readonly file: string
  readonly format?: string
  readonly verified?: true
  readonly dryRun?: true
  readonly report?: string
}

/** `sealwax users import`. */
export const importFile: Command<ImportInput> = {
  name: 'import',
  description: 'create users of another system from a file of JSON lines or CSV; may be repeated',
  arguments: [['<file>', 'or - for standard input']],
  options: [
    { flags: '--format <format>', description: 'jsonl or csv (default: by the name of the file)' },
    { flags: '--verified', description: 'the addresses count as verified, unless the row says otherwise' },
    { flags: '--dry-run', description: 'only check the rows' },
    { flags: '--report <file>', description: 'write the refused rows to a file: line and reason, as JSON lines' },
  ],
  async run(context, { file, format, verified = false, dryRun = false, report }) {
    const known = formatOf(file, format)
    const rows = readRows(await openInput(file), known)
    await using refusals = await openReport(file, report)
    let counts: ImportCounts = { created: 0, unchanged: 0, refused: 0 }
    const progress = setInterval(() => console.error(`sealwax: ${describe(counts)}`), 1000)
    try {
      counts = await importUsers(context, rows, {
        ...{ verified, dryRun, onRefused: refusals.add },
        onProgress(now) {
          counts = now
        },
      })
    } finally {
      clearInterval(progress)
    }
    print({ ...counts, ...(dryRun && { dry_run: true }) })
    if (counts.refused > 0) process.exitCode = 1
  },
}

function describe({ created, unchanged, refused }: ImportCounts): string {
  return `${created + unchanged + refused} rows: ${created} created, ${unchanged} unchanged, ${refused} refused`
}

function formatOf(file: string, given: string | undefined): ImportFormat {
  const format = FORMATS.get(given ?? (/\.(\w+)$/.exec(file)?.[1] ?? '').toLowerCase())
  if (format !== undefined) return format
  const detail =
    given === undefined ? 'The format is not in the name of the file: give --format' : 'There is no such format'
  throw new AuthError('validation_failed', `${detail}: jsonl (one JSON object per line) or csv`)
}

async function openInput(file: string): Promise<AsyncIterable<Uint8Array>> {
  if (file === '-') return process.stdin
  const handle = await open(file).catch((error) => {
    throw unusable(file, error)
  })
  if ((await handle.stat()).isDirectory()) throw unusable(file, { code: 'EISDIR' })
  return handle.createReadStream({ highWaterMark: 262_144 })
}

interface Report extends AsyncDisposable {
  readonly add: (refusal: ImportRefusal) => void | Promise<void>
}

/** Refused rows go to a file that only its owner can read, or to standard error. */
async function openReport(input: string, file: string | undefined): Promise<Report> {
  if (file === undefined) return shownReport()
  await refuseSameFile(input, file)
  const handle = await open(file, 'w', 0o600).catch((error) => {
    throw unusable(file, error)
  })
  let lines = ''
  const write = async () => {
    await handle.appendFile(lines)
    lines = ''
  }
  return {
    async add(refusal) {
      lines += `${JSON.stringify(refusal)}\n`
      if (lines.length > 65_536) await write()
    },
    async [Symbol.asyncDispose]() {
      await write()
      await handle.close()
    },
  }
}

function shownReport(): Report {
  let refused = 0
  return {
    add({ line, code, detail }) {
      refused += 1
      if (refused <= MOST_SHOWN) console.error(`sealwax: line ${line}: ${detail} (${code})`)
      if (refused === MOST_SHOWN) console.error('sealwax: further refused rows are not shown; --report writes them all')
    },
    async [Symbol.asyncDispose]() {},
  }
}

async function refuseSameFile(input: string, report: string): Promise<void> {
  if (input === '-') return
  const [a, b] = await Promise.all([stat(input), stat(report).catch(() => undefined)])
  if (a.dev === b?.dev && a.ino === b.ino) {
    throw new AuthError('validation_failed', 'The report would overwrite the file of users')
  }
}

function unusable(file: string, { code }: { code?: string }): AuthError {
  return new AuthError('validation_failed', `The file ${JSON.stringify(file)} cannot be opened (${code})`)
}
