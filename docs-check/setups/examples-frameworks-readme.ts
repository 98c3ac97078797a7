import { createAuth } from 'sealwax'
import { sqliteStore } from 'sealwax/sqlite'

process.env.AUTH_SECRET = 'test value: 5f0c2a7e9b4d1836c0a1f2e3d4b5968778695a4b3c2d1e0f'

// The fragment replaces a part of each program, whose imports are not shown.
export { createAuth, sqliteStore }
export const names = { issuer: 'https://api.example.com', audience: 'https://api.example.com' }
