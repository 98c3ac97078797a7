import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import express from 'express'

// The fragment replaces a line of server.ts, whose imports are not shown.
export { dirname, express, fileURLToPath }
export const app = express()
