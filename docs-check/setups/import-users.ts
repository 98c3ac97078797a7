import { createAuth, type ImportUser } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'

/** A server without users. */
export const auth = await createAuth({
  issuer: 'https://auth.example.com',
  audience: 'https://api.example.com',
  secret: 'a test value of the pages, which no server uses',
  store: sqliteStore(':memory:'),
})

/** Users as the database of the older system returns them. */
export const rows: readonly ImportUser[] = [
  {
    id: '7',
    email: 'ann@example.com',
    passwordHash: '$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e',
    roles: ['teacher'],
    createdAt: new Date('2024-05-01T12:00:00Z'),
  },
]
