import { budget } from './budget/suite.ts'
import { client } from './client/suite.ts'
import { inspector } from './inspector/suite.ts'
import { lesson } from './lesson/suite.ts'
import { react } from './react/suite.ts'
import { sandbox } from './sandbox/suite.ts'
import type { Suite } from './suite.ts'

/** All suites, in the order in which they run. */
export const suites: readonly Suite[] = [client, react, lesson, sandbox, inspector, budget]
