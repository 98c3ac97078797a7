const page = (text: string, name: string) => ({ text, link: `/docs/${name}` })

/** Every page of docs is in here; a test compares. */
export const sidebar = [
  {
    text: 'Start',
    items: [
      { text: 'Sealwax', link: '/' },
      page('The lesson', 'learn'),
      page('Sealwax in your app', 'embedding'),
      page('Next.js', 'next'),
      page('Protecting routes', 'guard'),
      page("Other people's issuers", 'issuers'),
      page('Sessions: log in, refresh, log out', 'sessions'),
      page('When a session cookie is simpler', 'session-cookies'),
    ],
  },
  {
    text: 'Users',
    items: [
      page('Accounts', 'accounts'),
      page('Managing users', 'users'),
      page('Passwords', 'passwords'),
      page('Limits for guesses', 'throttling'),
      page('Mail', 'mail'),
      page('Roles, scopes and tenants', 'authorization'),
    ],
  },
  {
    text: 'Clients',
    items: [
      page('The client', 'client'),
      page('Vue', 'client-vue'),
      page('Svelte', 'client-svelte'),
      page('Bound tokens (DPoP)', 'dpop'),
      page('Machines and OAuth', 'oauth'),
      page('HTTP API', 'http'),
    ],
  },
  {
    text: 'Operations',
    items: [
      page('Production', 'production'),
      page('Configuration', 'configuration'),
      page('Stores', 'stores'),
      page('Failover', 'failover'),
      page('Sizing', 'sizing'),
      page('Keys', 'keys'),
      page('Back up and restore', 'backup'),
      page('Runbook', 'runbook'),
      page('Upgrade', 'upgrade'),
    ],
  },
  {
    text: 'Moving here',
    items: [
      page('From where?', 'moving/'),
      page('Replacing a system', 'cut-over'),
      page('Importing users', 'import-users'),
    ],
  },
  {
    text: 'Reference',
    items: [
      page('Tokens without a server', 'tokens'),
      page('All exports', 'reference/'),
      page('Errors', 'errors'),
      page('Testing', 'testing'),
      page('Attack a route', 'attack'),
      page('Token inspector', 'inspector'),
      page('Runtimes', 'runtimes'),
      page('OWASP ASVS', 'asvs'),
      { text: 'Security', link: '/SECURITY' },
      { text: 'Architecture', link: '/ARCHITECTURE' },
      { text: 'Contributing', link: '/CONTRIBUTING' },
      { text: 'Benchmarks', link: '/bench/' },
    ],
  },
]
