import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { features } from '../../src/features.ts'
import { AuthError } from '../../src/index.ts'
import { postgresStore } from '../../src/store/postgres/index.ts'
import { parsePostgresUrl } from '../../src/store/postgres/url.ts'
import { sqliteStore } from '../../src/store/sqlite/index.ts'
import { SECRET, tempDir } from '../server.ts'

/** The two halves of the password in every URL below. */
const [FIRST, SECOND] = ['hunter', 'tiger']

/** URLs that cannot be parsed, with the expected error message. */
const BAD: readonly [url: string, sentence: RegExp][] = [
  [`postgres://u:${FIRST}#${SECOND}@db.example/d`, /the password must be percent-encoded: write # as %23$/],
  [`postgres://u:${FIRST}/${SECOND}@db.example/d`, /write \/ as %2F$/],
  [`postgres://u:${FIRST}[${SECOND}@db.example/d`, /write \[ as %5B$/],
  [`postgres://u:${FIRST}]${SECOND}@db.example/d`, /write \] as %5D$/],
  [`postgres://u:${FIRST}?${SECOND}@db.example/d`, /write \? as %3F$/],
  [`postgres://u:${FIRST}@${SECOND}@db.example/d`, /write @ as %40$/],
  [`postgres://u:${FIRST}@${SECOND}/x@db.example/d`, /write @ as %40$/],
  [`postgres://u:${FIRST}%${SECOND}@db.example/d`, /write % as %25$/],
  [`postgres://u:${FIRST}%ff${SECOND}@db.example/d`, /the password must be percent-encoded as UTF-8$/],
  [`postgres://u:${FIRST}%00${SECOND}@db.example/d`, /%00 is not allowed$/],
  [`postgres://u:${FIRST} ${SECOND}@db.example/d`, /write a space or control character as %20$/],
  [`postgres://u:${FIRST}\n${SECOND}@db.example/d`, /write a space or control character as %0A$/],
  [`postgres://u/${FIRST}:${SECOND}@db.example/d`, /the user name must be percent-encoded: write \/ as %2F$/],
  [`postgres://u:${FIRST}${SECOND}@db.example:99999/d`, /the port must be a number from 1 to 65535$/],
  [`postgres://u:${FIRST}${SECOND}@db.example:abc/d`, /the port must be a number/],
  [`postgres://u:${FIRST}${SECOND}@db.example:0/d`, /the port must be a number/],
  [`postgres://u:${FIRST}${SECOND}`, /the port must be a number/],
  [`postgres://u:${FIRST}${SECOND}@db example/d`, /the host name must be percent-encoded/],
  [`postgres://u:${FIRST}${SECOND}@[::1/d`, /the host is not a valid name or address$/],
  [`postgres://u:${FIRST}${SECOND}@h1,/d`, /the host is not a valid name or address$/],
  [`postgres://u:${FIRST}${SECOND}@db.example/d#x`, /a # must be percent-encoded: write %23$/],
  [`postgres://u:${FIRST}${SECOND}@db.example/d?sslmode=on`, /sslmode must be one of disable, allow, prefer, require/],
  [`postgres://u:${FIRST}${SECOND}@db.example/d?sslcert=x.pem`, /the parameter sslcert is not supported$/],
  [`postgres://u:${FIRST}${SECOND}@db.example/d?target_session_attrs=x`, /target_session_attrs must be/],
  [`postgres://u:${FIRST}${SECOND}@db.example/d?sslnegotiation=direct`, /needs sslmode=require or stronger$/],
  [`postgres://db.example/d?user=u&password=${FIRST}${SECOND}&sslmode=x`, /sslmode must be one of/],
  [`postgres://u:${FIRST}${SECOND}@db.example/d?search_path=x`, /the parameter search_path is not known; a setting/],
  [`postgres://u:${FIRST}${SECOND}@h/d?channel_binding=require&sslmode=disable`, /channel_binding=require needs TLS/],
  [`postgres://u:${FIRST}${SECOND}@h/d?channel_binding=x`, /channel_binding must be disable, prefer or require$/],
  [`postgres://u:${FIRST}${SECOND}@db.example/d?gssencmode=require`, /gssencmode=require is not supported: leave/],
  [`postgres://u:${FIRST}${SECOND}@db.example/d?pgbouncer=1`, /pgbouncer must be true or false$/],
  [
    `postgres://db.example/d?user=u&password=${FIRST}&${SECOND}`,
    /a parameter is not known; in a value, write & as %26$/,
  ],
  [`postgres://db.example/d?user=u&password=${FIRST}&${SECOND}=x`, /a parameter is not known; in a value, write & as/],
  [`postgres://h/d?%70assword=${FIRST}&${SECOND}=x`, /a parameter is not known; in a value, write & as %26$/],
  [`postgres://h/d?user=u:${FIRST}&${SECOND}=x`, /a parameter is not known; in a value, write & as %26$/],
  [`postgres://h/d&password=${FIRST}?${SECOND}=x`, /a parameter is not known; in a value, write & as %26$/],
  [`postgres://h/d?Password=${FIRST}&${SECOND}=x`, /the parameter Password is not known; a setting of the server/],
  [`postgres://u:12?${SECOND}`, /a parameter is not known/],
]

/**
 * URLs with their expected parts: hosts, user, database, TLS mode, whether the URL declares a
 * pooler, and the startup parameters sent to the server.
 */
const PROVIDED: readonly [url: string, ...parts: unknown[]][] = [
  [
    'postgresql://u:p@ep-cool-darkness-123456-pooler.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require',
    ...['ep-cool-darkness-123456-pooler.eu-central-1.aws.neon.tech:5432', 'u', 'neondb', 'require', undefined, {}],
  ],
  [
    'postgres://u:p@pg.neon.tech/neondb?options=endpoint%3Dep-cool-123456&sslmode=verify-full&pgbouncer=true&connect_timeout=15&pool_timeout=15',
    ...['pg.neon.tech:5432', 'u', 'neondb', 'verify-full', true, { options: 'endpoint=ep-cool-123456' }],
  ],
  [
    'postgres://postgres.abcdefgh:p@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?sslmode=require&supa=base-pooler.x&pgbouncer=true&connection_limit=1',
    ...['aws-0-eu-central-1.pooler.supabase.com:6543', 'postgres.abcdefgh', 'postgres', 'require', true, {}],
  ],
  [
    'postgresql://u:p@db.abc.eu-west-1.rds.amazonaws.com:5432/app?sslmode=verify-full&sslrootcert=/certs/global-bundle.pem&application_name=auth',
    ...['db.abc.eu-west-1.rds.amazonaws.com:5432', 'u', 'app', 'verify-full', undefined, { application_name: 'auth' }],
  ],
  [
    'postgresql://u:p@/app?host=/cloudsql/project:europe-west1:db',
    ...['/cloudsql/project:europe-west1:db:5432', 'u', 'app', 'prefer', undefined, {}],
  ],
  [
    'postgresql://u:p@localhost/app?host=/cloudsql/project:europe-west1:db',
    ...['/cloudsql/project:europe-west1:db:5432', 'u', 'app', 'prefer', undefined, {}],
  ],
  [
    'postgres://admin%40server:p@server.postgres.database.azure.com:5432/postgres?sslmode=require&uselibpqcompat=true',
    ...['server.postgres.database.azure.com:5432', 'admin@server', 'postgres', 'require', undefined, {}],
  ],
  [
    'postgres://u:p@ec2-1-2-3-4.compute-1.amazonaws.com/d?sslmode=no-verify&keepalives=1&keepalives_idle=30&gssencmode=disable',
    ...['ec2-1-2-3-4.compute-1.amazonaws.com:5432', 'u', 'd', 'require', undefined, {}],
  ],
  ['postgres://u:p@[2001:db8::7]:6432,db2/d', '2001:db8::7:6432,db2:5432', 'u', 'd', 'prefer', undefined, {}],
]

describe('a database URL', () => {
  it('is parsed into decoded parts', () => {
    const { places, user, password, database, tls, client, startup, prepares } = parsePostgresUrl(
      ' postgresql://al%40ex:p%23w%2F%5B%3a@db.example:5433,[::1],%2Frun%2Fpg:5434/a%20b?application_name=x%20y&prepare=false&sslmode=require\n',
    )
    assert.deepEqual(places, [
      { host: 'db.example', port: 5433 },
      { host: '::1', port: 5432 },
      { host: '/run/pg', port: 5434 },
    ])
    assert.deepEqual([user, password, database], ['al@ex', 'p#w/[:', 'a b'])
    assert.deepEqual(tls, { mode: 'require', rootCertificate: undefined, direct: false, bound: false })
    assert.deepEqual([client, startup, prepares], [{}, { application_name: 'x y' }, false])
  })

  it('may omit every part, or give parts as parameters', () => {
    const least = parsePostgresUrl('postgres://')
    assert.deepEqual([least.places, least.user, least.password, least.database], [[], undefined, undefined, undefined])
    const named = parsePostgresUrl('postgres:///d?host=/run/postgresql&user=u&password=p%40w')
    assert.deepEqual(named.places, [{ host: '/run/postgresql', port: 5432 }])
    assert.deepEqual([named.user, named.password, named.database, named.startup], ['u', 'p@w', 'd', {}])
    const twice = parsePostgresUrl('postgres://u:p@h/d?password=other&user=other&host=other')
    assert.deepEqual(
      [twice.user, twice.password, twice.startup],
      ['u', 'p', {}],
      'no overridden parameter is sent to the server',
    )
  })

  for (const [parameters, mode] of [
    ['', 'prefer'],
    ['?sslmode=disable', 'disable'],
    ['?sslmode=verify-full', 'verify-full'],
    ['?ssl=true', 'verify-full'],
    ['?ssl=false', 'disable'],
    ['?ssl=require', 'require'],
    ['?sslrootcert=system', 'verify-full'],
    ['?sslmode=require&sslrootcert=ca.pem', 'verify-ca'],
    ['?channel_binding=require', 'require'],
  ] as const) {
    it(`with ${parameters === '' ? 'no parameters' : parameters} uses TLS as libpq does: ${mode}`, () => {
      assert.equal(parsePostgresUrl(`postgres://h/d${parameters}`).tls.mode, mode)
    })
  }

  it('is accepted in the forms that database providers use', () => {
    const given = (url: string) => {
      const { places, user, database, tls, pooled, startup } = parsePostgresUrl(url)
      return [places.map(({ host, port }) => `${host}:${port}`).join(), user, database, tls.mode, pooled, startup]
    }
    for (const [url, ...expected] of PROVIDED) assert.deepEqual(given(url), expected, url)
  })

  it('keeps a plus sign in a password, and takes port and database from the parameters', () => {
    const { places, password, database } = parsePostgresUrl(
      'postgres://?host=::1&port=5433&user=u&password=a+b%26c&dbname=d',
    )
    assert.deepEqual([places, password, database], [[{ host: '::1', port: 5433 }], 'a+b&c', 'd'])
  })

  it('that cannot be parsed is refused with an error that says what to change and does not contain the password', () => {
    for (const [url, sentence] of BAD) {
      assert.throws(
        () => postgresStore(url),
        (error) => {
          assert.ok(error instanceof AuthError && error.code === 'config_invalid')
          assert.match(error.message, sentence)
          const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error) + error.stack
          return !shown.includes(FIRST) && !shown.includes(SECOND)
        },
        url,
      )
    }
  })
})

const COMMANDS: readonly string[][] = [
  ...[
    ['serve'],
    ['users', 'list'],
    ['users', 'create', '--email', 'a@example.com'],
    ['keys', 'list'],
    ['keys', 'rotate'],
  ],
  ...[
    ['keys', 'revoke', 'kid', '--now'],
    ['clients', 'list'],
    ['clients', 'create', '--name', 'x'],
    ['clients', 'delete', 'x'],
  ],
  ...[
    ['secrets', 'forget', '0011223344556677'],
    ['db', 'copy'],
    ['db', 'unseal'],
  ],
]

const BIN = join(import.meta.dirname, '../../bin/sealwax.js')
const temporary = tempDir()
after(() => temporary[Symbol.dispose]())

interface Run {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Runs commands like `sealwax` would, but all in one process, and returns the output of each. */
async function runAll(runs: readonly Run[]): Promise<string[]> {
  const program = `
    import { main } from ${JSON.stringify(new URL('../../src/cli/main.ts', import.meta.url).href)}
    import { readFileSync } from 'node:fs'
    for (const { argv, env } of JSON.parse(readFileSync(process.env.RUNS, 'utf8'))) {
      for (const name of Object.keys(process.env)) if (name.startsWith('SEALWAX_')) delete process.env[name]
      Object.assign(process.env, env)
      process.exitCode = 0
      await main(['node', 'sealwax', ...argv])
      process._rawDebug('exit code ' + process.exitCode + '\\0')
    }
    process.exit()`
  const arguments_ = ['--conditions=@sealwax/source', '--input-type=module', '--eval', program]
  const file = join(temporary.path, 'runs.json')
  writeFileSync(file, JSON.stringify(runs))
  const env = { PATH: process.env.PATH ?? '', RUNS: file }
  // Both streams go to one file to keep their order. Output to a full pipe would be lost at exit.
  const printed = openSync(join(temporary.path, 'printed'), 'w+')
  const child = spawn(process.execPath, arguments_, { env, cwd: temporary.path, stdio: ['pipe', printed, printed] })
  child.stdin?.end('a password long enough')
  await once(child, 'close')
  const output = readFileSync(join(temporary.path, 'printed'), 'utf8')
  closeSync(printed)
  const outputs = output.split('\0\n').slice(0, -1)
  assert.equal(outputs.length, runs.length, output)
  return outputs
}

const BASE = { SEALWAX_ISSUER: 'https://auth.example.com', SEALWAX_AUDIENCE: 'api', SEALWAX_SECRET: SECRET }

function assertSilent(output: string, ...secrets: string[]): void {
  for (const secret of secrets) assert.ok(!output.includes(secret), `"${secret}" was printed: ${output}`)
}

/** Every way to pass a URL to a command. */
function runsWith(url: string, file: string): Run[] {
  writeFileSync(file, `\ufeff${url}\r\n`, { mode: 0o600 })
  const source = join(temporary.path, 'source.db')
  writeFileSync(source, '', { mode: 0o600 })
  const copy = { SEALWAX_DATABASE_URL: `sqlite:${source}` }
  return [
    ...COMMANDS.map((argv) => ({ argv, env: { ...BASE, SEALWAX_DATABASE_URL: url } })),
    { argv: ['serve'], env: { ...BASE, SEALWAX_DATABASE_URL_FILE: file } },
    { argv: ['db', 'copy'], env: { ...copy, SEALWAX_COPY_TO: url } },
    { argv: ['db', 'copy'], env: { ...copy, SEALWAX_COPY_TO_FILE: file } },
    { argv: ['db', 'copy', `sqlite:${source}`, url], env: {} },
    { argv: ['db', 'copy', url, url], env: {} },
    { argv: ['db', 'unseal', url], env: {} },
  ]
}

describe('the database password', () => {
  it('no command prints a database URL that cannot be parsed, such as one with a raw # in its password', async () => {
    const runs = BAD.flatMap(([url, sentence], i) =>
      runsWith(url, join(temporary.path, `url-${i}`)).map((run) => ({ ...run, url, sentence })),
    )
    const outputs = await runAll(runs)
    for (const [i, { argv, url, sentence }] of runs.entries()) {
      const output = outputs[i] as string
      const where = `${argv.join(' ')} with ${url}`
      assertSilent(output, FIRST, SECOND)
      assert.match(output, /\nexit code 1$/, where)
      const isSource = argv[0] === 'db' && argv[2] === url
      const expected = new RegExp(
        isSource ? 'The source must be an existing file such as sqlite:' : sentence.source.replace('$', ''),
      )
      assert.match(output, expected, where)
    }
  })

  it('is not printed if the database is unreachable', async () => {
    const url = `postgres://u:${FIRST}%23${SECOND}@127.0.0.1:1/d`
    // `serve` would wait for its database.
    const runs = runsWith(url, join(temporary.path, 'url-of-none')).map(({ argv, env }) => ({
      argv,
      env: { ...env, ...(argv[0] === 'serve' && { SEALWAX_START_TIMEOUT: '0s' }) },
    }))
    const outputs = await runAll(runs)
    for (const [i, { argv }] of runs.entries()) {
      const output = outputs[i] as string
      assertSilent(output, FIRST, SECOND)
      assert.match(output, /^sealwax: .+ \((temporarily_unavailable|config_invalid)\)\nexit code 1$/m, argv.join(' '))
    }
  })

  it('is not in the OpenAPI document', async () => {
    const env = { ...BASE, PATH: process.env.PATH ?? '', SEALWAX_DATABASE_URL: BAD[0]?.[0] as string }
    const child = spawn(process.execPath, [BIN, 'openapi'], { env })
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    assert.match(stdout, /"openapi": "3.1.0"/)
    assertSilent(stdout + stderr, FIRST, SECOND)
  })

  it('a URL, a secret or a private key given in place of a path is not printed', async () => {
    const url = `postgres://u:${FIRST}@127.0.0.1/d`
    const pem = `-----BEGIN PRIVATE KEY-----\n${FIRST}\n-----END PRIVATE KEY-----`
    const outputs = await runAll([
      { argv: ['serve'], env: { ...BASE, SEALWAX_DATABASE_URL_FILE: url } },
      { argv: ['db', 'copy'], env: { SEALWAX_COPY_TO_FILE: url } },
      { argv: ['serve'], env: { ...BASE, SEALWAX_SECRET: '', SEALWAX_SECRET_FILE: `${FIRST}-and-more` } },
      { argv: ['serve'], env: { ...BASE, SEALWAX_TLS_CERT: pem, SEALWAX_TLS_KEY: pem } },
      { argv: ['serve'], env: { ...BASE, SEALWAX_DATABASE_URL: `mysql://u:${FIRST}@h/d` } },
    ])
    assert.equal(outputs.join().match(/the file at this path cannot be read \(ENOENT\)/g)?.length, 5)
    assertSilent(outputs.join(), FIRST)
  })

  it('the arguments of an invalid command line are not printed', async () => {
    const url = `postgres://u:${FIRST} ${SECOND}@127.0.0.1/d`
    for (const argv of [
      ['db', 'copy', 'sqlite:x', 'sqlite:y', url],
      ['db', url],
      [url],
      ['db', 'copy', `--to=${url}`],
    ]) {
      const child = spawn(process.execPath, [BIN, ...argv])
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
      assert.match(stderr, /^error: /)
      assertSilent(stdout + stderr, FIRST, SECOND)
    }
  })
})

describe('a file with a secret', () => {
  it('that other users can read causes a warning with variable, path and mode; a private file does not', async () => {
    const file = join(temporary.path, 'secret')
    writeFileSync(file, SECRET)
    const database = join(temporary.path, 'database-url')
    writeFileSync(database, `sqlite:${join(temporary.path, 'warned.db')}\n`)
    const env = { ...BASE, SEALWAX_SECRET: '', SEALWAX_SECRET_FILE: file, SEALWAX_DATABASE_URL_FILE: database }
    const run = { argv: ['users', 'list'], env }
    const outputs: string[] = []
    for (const mode of [0o644, 0o440, 0o600, 0o400]) {
      for (const path of [file, database]) chmodSync(path, mode)
      outputs.push(...(await runAll([run])))
    }
    const warnings = (mode: string) =>
      `sealwax: SEALWAX_SECRET_FILE: other users can read ${file} (mode ${mode})\n` +
      `sealwax: SEALWAX_DATABASE_URL_FILE: other users can read ${database} (mode ${mode})\n`
    const [quiet, loud] = ['exit code 0', (mode: string) => `${warnings(mode)}exit code 0`]
    assert.deepEqual(outputs, [loud('0644'), loud('0440'), quiet, quiet])
  })

  it('a server logs a warning about a secret file or a TLS key that other users can read', async () => {
    const [secret, cert, key] = ['of-server', 'cert.pem', 'key.pem'].map((name) => join(temporary.path, name)) as [
      string,
      string,
      string,
    ]
    writeFileSync(secret, SECRET, { mode: 0o640 })
    const [algorithm, subject] = [
      ['-newkey', 'ed25519'],
      ['-subj', '/CN=localhost'],
    ]
    execFileSync('openssl', ['req', '-x509', ...algorithm, '-nodes', ...subject, '-keyout', key, '-out', cert], {
      stdio: 'pipe',
    })
    chmodSync(key, 0o644)
    const tls = { SEALWAX_TLS_CERT: cert, SEALWAX_TLS_KEY: key, SEALWAX_SECRET: '', SEALWAX_SECRET_FILE: secret }
    const child = spawn(process.execPath, [BIN, 'serve'], {
      env: { ...BASE, ...tls, PATH: process.env.PATH ?? '', SEALWAX_PORT: '0' },
      cwd: temporary.path,
    })
    let output = ''
    for await (const chunk of child.stdout) {
      output += chunk
      if (output.includes('"listening"')) child.kill('SIGKILL')
    }
    const lines = output.trim().split('\n')
    const warnings = lines.map((line) => JSON.parse(line)).filter(({ msg }) => /other users can read/.test(msg))
    assert.deepEqual(
      warnings.map(({ level, msg }) => [level, msg]),
      [
        [40, `SEALWAX_SECRET_FILE: other users can read ${secret} (mode 0640)`],
        [40, `SEALWAX_TLS_KEY: other users can read ${key} (mode 0644)`],
      ],
    )
  })

  it('a BOM and a newline around the secret are ignored', async () => {
    const file = join(temporary.path, 'with-bom')
    const url = `sqlite:${join(temporary.path, 'bom.db')}`
    const store = sqliteStore(url.slice(7))
    await store.open({ features, migrate: 'auto' })
    await store.close()
    writeFileSync(file, `\ufeff${url}\r\n`, { mode: 0o600 })
    const outputs = await runAll([{ argv: ['db', 'unseal'], env: { SEALWAX_DATABASE_URL_FILE: file } }])
    assert.deepEqual(outputs, ['The database accepts writes again.\nexit code 0'])
  })
})
