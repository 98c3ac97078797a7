import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { createAuth } from 'sealwax'
import { protect } from 'sealwax/express'
import { toNodeHandler } from 'sealwax/node'
import { sqliteStore } from 'sealwax/sqlite'

// The fragment is a part of this example's app.ts, whose imports are not shown.
export { secretIn } from '../../examples/learning-platform/src/secret.ts'
export { createAuth, express, join, protect, sqliteStore, toNodeHandler }
export const dataDir = mkdtempSync(join(tmpdir(), 'sealwax-fragment-'))
export const options = { issuer: 'http://127.0.0.1:5000' }
