// Runs the fragments of one page, one after the other.
const files = JSON.parse(process.argv[2] ?? '') as [place: string, file: string][]

let place = ''
const report = (error: unknown) => {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  console.log(`FAULT ${place}: ${text.replaceAll('\n', ' ')}`)
}
process.on('unhandledRejection', report)
process.on('uncaughtException', report)

for (const [name, file] of files) {
  place = name
  await import(file).catch(report)
  // What the fragment started and did not await, too.
  await new Promise((resolve) => setTimeout(resolve, 20))
}
console.log('ran all')
process.exit()
