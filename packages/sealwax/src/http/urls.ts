import type { Config } from '../config.ts'

/** The public URL our routes stand under: the issuer, and the base path unless the issuer has a path of its own. */
export function publicBase({ issuer, basePath }: Config): string {
  const { origin, pathname } = new URL(issuer)
  return pathname === '/' ? origin + basePath : origin + pathname.replace(/\/$/, '')
}
