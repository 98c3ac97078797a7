import type { Config } from '../options.ts'

/** The public URL our routes stand under: the issuer's, whose path a proxy or a mount may take off; or the base path, where that goes further. */
export function publicBase({ issuer, basePath }: Config): string {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return origin + (basePath.startsWith(`${path}/`) ? basePath : path)
}
