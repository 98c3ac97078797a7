#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that an old one gets a sentence and not a stack trace.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(`sealwax needs Node 24 or newer; this is Node ${process.versions.node}. Type: nvm install 24`)
  process.exit(1)
}

// In a checkout there may be no build: there the sources run as they are. An installed package runs its build.
if (import.meta.url.includes('/node_modules/')) {
  await import('../dist/cli/main.js').then(({ main }) => main(process.argv)).catch(refuse)
} else {
  const { enableCompileCache, registerHooks } = await import('node:module')
  const { fileURLToPath } = await import('node:url')
  // Compiles TypeScript once instead of at each start. Not in a shared directory, where other users could plant code.
  enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/sealwax', import.meta.url)))
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: ['@sealwax/source', ...context.conditions] }),
  })
  await import('../src/cli/main.ts').then(({ main }) => main(process.argv)).catch(refuse)
}

/** What the command needs and the library does not is not installed with it. */
function refuse(error) {
  const missing = /'(commander|pino|postgres|kysely-postgres-js)'/.exec(error.message)?.[1]
  if (error.code !== 'ERR_MODULE_NOT_FOUND' || missing === undefined) throw error
  const isInstalled = import.meta.url.includes('/node_modules/')
  const isForPostgres = missing.includes('postgres')
  const packages = isForPostgres ? 'postgres kysely-postgres-js' : 'commander pino'
  const remedy = isInstalled ? `npm install ${packages}` : 'npm ci --include=dev'
  console.error(`sealwax: ${isForPostgres ? 'Postgres' : 'the command'} needs the package ${missing}. Type: ${remedy}`)
  process.exit(1)
}
