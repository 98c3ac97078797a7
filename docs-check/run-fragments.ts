// Runs the fragments of one page, one after the other, with the exports of its setup as globals.
const { setup, files } = JSON.parse(process.argv[2] ?? '') as { setup?: string; files: [place: string, file: string][] }

let place = 'the setup'
const report = (error: unknown) => {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  console.log(`FAULT ${place}: ${text.replaceAll('\n', ' ')}`)
  process.exitCode = 1
}
process.on('unhandledRejection', report)
process.on('uncaughtException', report)

if (setup !== undefined) Object.assign(globalThis, await import(setup))
for (const [name, file] of files) {
  place = name
  await import(file).catch(report)
  // What the fragment started and did not await, too.
  await new Promise((resolve) => setTimeout(resolve, 20))
}
process.exit()
