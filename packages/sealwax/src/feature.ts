import type { CommandedFeature } from './cli/command.ts'
import type { CoreFeature } from './core/context.ts'
import type { RoutedFeature } from './http/edge.ts'

/**
 * What a feature may consist of. Its folder contains all of it; `features.ts` lists the features.
 */
export interface Feature extends CoreFeature, RoutedFeature, CommandedFeature {}
