import { client } from './client/suite.ts'
import { react } from './react/suite.ts'
import type { Suite } from './suite.ts'

/** All suites, in the order in which they run. */
export const suites: readonly Suite[] = [client, react]
