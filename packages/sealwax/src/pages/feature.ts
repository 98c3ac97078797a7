import type { Feature } from '../feature.ts'
import { pageOptions } from './options.ts'
import { inspectorRoutes } from './routes.ts'

/** The pages that are built from `packages/web`. */
export const pagesFeature = {
  name: 'pages',
  options: pageOptions,
  routes: [inspectorRoutes],
} as const satisfies Feature

// The types that this file adds to are complete only together with it, in declaration files too.
export type {} from './options.ts'
