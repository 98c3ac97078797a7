import { AUDIENCE } from './tokens.ts'

/** Our server's options, wherever it runs. The secret protects nothing but the benchmark. */
export const OURS = {
  issuer: 'http://127.0.0.1:5000',
  audience: AUDIENCE,
  secret: 'gT5-bench-only-Wq8Zr2Nc7Lk4Xv9Jd3Hs',
  // A few users log in thousands of times. With the default, most log-ins would also end a session,
  // among them those that the run still uses.
  maxSessions: 1_000_000,
} as const

/** Its database, in the folder of the run. */
export const DATABASE = 'sealwax.db'

/** Everybody's. */
export const PASSWORD = 'correct horse battery staple'
