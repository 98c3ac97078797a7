/** A file with its imports, as the text of a classic script. `vite.config.ts` makes it. */
declare module '*?script' {
  export const script: string
}
