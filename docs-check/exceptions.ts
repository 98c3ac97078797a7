import type { Block } from './pages.ts'

/** Blocks that are not run, each with the reason. `starts` is the beginning of the block. */
const EXCEPTIONS: readonly { readonly page: string; readonly starts: string; readonly why: string }[] = [
  { page: 'README.md', starts: 'npm ci && npm start', why: 'in a clone; .ci/run types it there' },
  {
    page: 'examples/flask-service/README.md',
    starts: 'sudo apt-get install',
    why: 'it needs the rights of root',
  },
  { page: 'docs/issuers.md', starts: 'TOKEN=$(curl --user', why: 'it needs a Keycloak with this realm' },
  { page: 'docs/moving/keycloak.md', starts: 'bin/kc.sh export', why: 'it needs a Keycloak with this realm' },
  {
    page: 'docs/client.md',
    starts: "import { createClient } from '@sealwax/client'\nimport * as Crypto from 'expo-crypto'",
    why: 'it needs a phone with an app of Expo',
  },
  {
    page: 'docs/production.md',
    starts: 'install -d -m 0700 /etc/sealwax',
    why: 'it needs systemd and the rights of root',
  },
  { page: 'docs/production.md', starts: 'systemd-run --pipe', why: 'it needs systemd and the rights of root' },
  { page: 'docs/production.md', starts: 'docker build', why: 'it needs Docker' },
  { page: 'docs/moving/better-auth.md', starts: 'umask 077', why: 'it needs a database of Better Auth' },
  { page: 'docs/moving/supabase.md', starts: 'umask 077', why: 'it needs a project of Supabase' },
  { page: 'docs/moving/firebase.md', starts: 'umask 077', why: 'it needs a project of Firebase' },
  { page: 'docs/import-users.md', starts: 'psql "$OLD_DATABASE"', why: 'it needs a project of Supabase' },
  {
    page: 'docs/moving/auth0.md',
    starts: 'curl --request POST "https://$AUTH0_DOMAIN',
    why: 'it needs a tenant of Auth0',
  },
  { page: 'docs/moving/authjs.md', starts: 'umask 077', why: 'it needs a database of Auth.js' },
]

/** Why a block is not run; undefined if it is. */
export const reasonOf = ({ page, code }: Block): string | undefined =>
  EXCEPTIONS.find((exception) => exception.page === page && code.startsWith(exception.starts))?.why

/** Exceptions whose block is gone. */
export const unusedExceptions = (blocks: readonly Block[]): readonly string[] =>
  EXCEPTIONS.filter(
    ({ page, starts }) => !blocks.some((block) => block.page === page && block.code.startsWith(starts)),
  ).map(({ page, starts }) => `${page}: ${starts}`)
