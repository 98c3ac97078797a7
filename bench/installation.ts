import { AUDIENCE } from './tokens.ts'

/**
 * Options of our server, in every process that runs it. The secret is only used by the benchmark.
 */
export const OURS = {
  issuer: 'http://127.0.0.1:5000',
  audience: AUDIENCE,
  secret: 'gT5-bench-only-Wq8Zr2Nc7Lk4Xv9Jd3Hs',
  // A few users log in thousands of times. With the default, most log-ins would also end a session,
  // including sessions that the run still uses.
  maxSessions: 1_000_000,
  // The load names an address for each client: log-ins from one network would be slowed down.
  trustProxy: 1,
} as const

/** File name of the database of our server, in the folder of the run. */
export const DATABASE = 'sealwax.db'

/** The password of every user. */
export const PASSWORD = 'correct horse battery staple'
