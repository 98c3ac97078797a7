import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { ClientError, createClient } from '@sealwax/client'
import { secureStorage } from './secure-storage.ts'

const baseUrl = `http://127.0.0.1:${process.env.PORT ?? 3000}`
const storage = secureStorage(process.env.STORAGE ?? join(import.meta.dirname, '../storage'))

/** Identifies this installation, so that a user whose reply was lost stays logged in. */
async function installationId(): Promise<string> {
  const stored = await storage.getItem('installation')
  if (stored !== null) return stored
  const id = randomUUID()
  await storage.setItem('installation', id)
  return id
}

const client = createClient({ baseUrl, storage, device: await installationId() })

/** What a user can tap on. Each start of the program is a start of the app. */
const screens: Readonly<Record<string, () => Promise<unknown>>> = {
  async start() {
    const session = await client.session()
    return session === undefined ? 'Nobody is logged in' : `Logged in: ${session.userId}`
  },
  async 'log-in'() {
    const [, , , email = 'alex@example.com', password = 'change-this-demo-password'] = process.argv
    return `Logged in: ${(await client.login({ email, password })).session.userId}`
  },
  profile: () => get('/profile'),
  async lessons() {
    const numbers = Array.from({ length: 20 }, (_, i) => i + 1)
    const lessons = await Promise.all(numbers.map((number) => get(`/lessons/${number}`))) // all at the same time
    return `${lessons.length} lessons`
  },
  async 'log-out'() {
    await client.logout()
    return 'Logged out'
  },
}

/** Write whole URLs: React Native does not resolve relative ones as browsers do. */
async function get(path: string): Promise<unknown> {
  const reply = await client.fetch(`${baseUrl}${path}`)
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`)
  return reply.json()
}

const name = process.argv[2] ?? 'start'
try {
  const screen = screens[name]
  if (screen === undefined) throw new Error(`Write one of: ${Object.keys(screens).join(', ')}`)
  console.log(await screen())
} catch (error) {
  process.exitCode = 1
  console.error(error instanceof ClientError ? `${error.code}: ${error.message}` : (error as Error).message)
}
