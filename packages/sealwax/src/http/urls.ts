import type { Config } from '../core/options.ts'

/**
 * The public URL of the routes: the issuer, whose path a proxy or a mount may strip, or the base
 * path if it is longer.
 */
export function publicBase({ issuer, basePath }: Config): string {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return origin + (basePath.startsWith(`${path}/`) ? basePath : path)
}
