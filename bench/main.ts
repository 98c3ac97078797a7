import { parseArgs } from 'node:util'
import { growthPart } from './growth.ts'
import { guardPart } from './guard.ts'
import { httpPart } from './http.ts'
import { jwtPart } from './jwt.ts'
import { machineLine, type Part, print, readResults, store, summary, writeReadme } from './report.ts'
import { revocationPart } from './revocation.ts'
import { serverPart } from './server.ts'

/** Options that every part receives. */
export interface Run {
  readonly quick: boolean
}

const PARTS: Readonly<Record<string, (run: Run) => Promise<Part>>> = {
  jwt: jwtPart,
  guard: guardPart,
  http: httpPart,
  server: serverPart,
  revocation: revocationPart,
  growth: growthPart,
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    'write-readme': { type: 'boolean', default: false },
  },
})

async function main(): Promise<void> {
  const names = values.only?.flatMap((list) => list.split(',')) ?? (values['write-readme'] ? [] : Object.keys(PARTS))
  const unknown = names.filter((name) => !Object.hasOwn(PARTS, name))
  if (unknown.length > 0)
    throw new Error(`There is no part named ${unknown.join(', ')}. The parts are ${Object.keys(PARTS).join(', ')}`)
  const results = readResults()
  console.log(`${machineLine()}, ${new Date().toISOString()}${values.quick ? ', quick' : ''}`)
  for (const name of names) {
    const part = (await PARTS[name]?.({ quick: values.quick })) ?? { rows: [], notes: [] }
    print(name, part)
    store(results, name, part, values.quick)
  }
  console.log()
  for (const line of summary(results)) console.log(line)
  if (values['write-readme']) writeReadme(results)
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
