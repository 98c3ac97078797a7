import type { Duration } from '@sealwax/jwt'
import { type Command, print } from '../cli/command.ts'
import type { Context } from '../core/context.ts'
import { AuthError } from '../errors.ts'
import { clientBody, secretBody } from './client-routes.ts'
import {
  type ApiClient,
  createClient,
  deleteClient,
  disableClient,
  enableClient,
  listClients,
  noSuchClient,
  rotateSecret,
  updateClient,
} from './clients.ts'

const create: Command<{ name: string; scope?: string[] }> = {
  name: 'create',
  description: 'create a client; its secret is printed only here',
  options: [
    { flags: '--name <name>', description: 'a name for people', required: true },
    { flags: '--scope <scope>', description: 'a scope; may be repeated', repeated: true },
  ],
  async run(context, { name, scope }) {
    print(secretBody(await createClient(context, { name, scopes: parseScopes(scope) })))
  },
}

const list: Command = {
  name: 'list',
  description: 'list all clients, one JSON line each',
  async run(context) {
    for (let page = await listClients(context, { limit: 500 }); page.length > 0; ) {
      for (const client of page) print(clientBody(client))
      page = await listClients(context, { limit: 500, after: page.at(-1)?.id as string })
    }
  },
}

const update: Command<{ id: string; name?: string; scope?: string[] }> = {
  name: 'update',
  description: 'change the name or the scopes',
  arguments: [['<id>']],
  options: [
    { flags: '--name <name>', description: 'a name for people' },
    {
      flags: '--scope <scope>',
      description: "a scope; may be repeated; replaces all scopes; '' for none",
      repeated: true,
    },
  ],
  async run(context, { id, name, scope }) {
    const scopes = parseScopes(scope)
    if (name === undefined && scopes === undefined) {
      throw new AuthError('validation_failed', 'Give --name NAME or --scope SCOPE (which replaces all scopes)')
    }
    const change = { ...(name !== undefined && { name }), ...(scopes !== undefined && { scopes }) }
    print(clientBody(await updateClient(context, id, change)))
  },
}

const rotate: Command<{ id: string; overlap: string }> = {
  name: 'rotate',
  description: 'make a new secret, printed only here; the current one stays valid for a while',
  arguments: [['<id>']],
  options: [
    {
      flags: '--overlap <duration>',
      description: "how long: seconds or a duration such as '24h'; 0 expires it now",
      default: '24h',
    },
  ],
  async run(context, { id, overlap }) {
    const duration = (/^\d+$/.test(overlap) ? Number(overlap) : overlap) as Duration
    print(secretBody(await rotateSecret(context, id, { overlap: duration })))
  },
}

/** A command about one client. */
function ofClient(
  name: string,
  description: string,
  run: (context: Context, id: string) => Promise<ApiClient>,
): Command<{ id: string }> {
  return {
    name,
    description,
    arguments: [['<id>']],
    run: async (context, { id }) => print(clientBody(await run(context, id))),
  }
}

const remove: Command<{ id: string }> = {
  name: 'delete',
  description: 'delete a client; its access tokens become stale',
  arguments: [['<id>']],
  async run(context, { id }) {
    if (!(await deleteClient(context, id))) throw noSuchClient()
  },
}

/** `sealwax clients`. */
export const clientCommands = {
  name: 'clients',
  description: 'manage API clients: machines with a secret and scopes',
  commands: [
    create,
    list,
    update,
    rotate,
    ofClient('disable', 'disable a client; its access tokens become stale', disableClient),
    ofClient('enable', 'allow a disabled client to authenticate again', enableClient),
    remove,
  ],
} as const

/** `--scope ''` removes all scopes. */
function parseScopes(given: string[] | undefined): string[] | undefined {
  return given?.length === 1 && given[0] === '' ? [] : given
}
