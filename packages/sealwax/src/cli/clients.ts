import { noSuchClient } from '../engine/clients.ts'
import { AuthError } from '../errors.ts'
import type { AuthOptions } from '../options.ts'
import type { Environment } from './env.ts'
import { withAuth } from './store.ts'

type Duration = NonNullable<AuthOptions['accessTtl']>

/** `sealwax clients create`: one JSON line with the client and its secret, which is shown this once. */
export async function clientsCreate(
  environment: Environment,
  options: { name: string; scope?: string[] },
): Promise<void> {
  const { name, scope } = options
  await withAuth(environment, async (auth) => print(await auth.clients.create({ name, scopes: scopesOf(scope) })))
}

/** `sealwax clients list`: one JSON line a client. */
export async function clientsList(environment: Environment): Promise<void> {
  await withAuth(environment, async (auth) => {
    for (let page = await auth.clients.list({ limit: 500 }); page.length > 0; ) {
      for (const client of page) print(client)
      page = await auth.clients.list({ limit: 500, after: page.at(-1)?.id as string })
    }
  })
}

/** `sealwax clients update`: what is not given stays. */
export async function clientsUpdate(
  environment: Environment,
  id: string,
  { name, scope }: { name?: string; scope?: string[] },
): Promise<void> {
  const scopes = scopesOf(scope)
  if (name === undefined && scopes === undefined) {
    throw new AuthError(
      'validation_failed',
      'Say what changes: --name NAME, or --scope SCOPE for all scopes it has from now on',
    )
  }
  const change = { ...(name !== undefined && { name }), ...(scopes !== undefined && { scopes }) }
  await withAuth(environment, async (auth) => print(await auth.clients.update(id, change)))
}

/** `sealwax clients rotate`: one JSON line with the client and its new secret, which is shown this once. */
export async function clientsRotate(
  environment: Environment,
  id: string,
  { overlap }: { overlap: string },
): Promise<void> {
  const duration = (/^\d+$/.test(overlap) ? Number(overlap) : overlap) as Duration
  await withAuth(environment, async (auth) => print(await auth.clients.rotate(id, { overlap: duration })))
}

export async function clientsDisable(environment: Environment, id: string): Promise<void> {
  await withAuth(environment, async (auth) => print(await auth.clients.disable(id)))
}

export async function clientsEnable(environment: Environment, id: string): Promise<void> {
  await withAuth(environment, async (auth) => print(await auth.clients.enable(id)))
}

export async function clientsDelete(environment: Environment, id: string): Promise<void> {
  await withAuth(environment, async (auth) => {
    if (!(await auth.clients.delete(id))) throw noSuchClient()
  })
}

/** `--scope ''` alone takes all scopes away. */
function scopesOf(given: string[] | undefined): string[] | undefined {
  return given?.length === 1 && given[0] === '' ? [] : given
}

function print(value: unknown): void {
  console.log(JSON.stringify(value))
}
