// What bundlers choose for the Edge runtime of Next.js, by the condition edge-light.
// CommonJS, so that a bundler accepts any named import from it.
module.exports = {}
throw new Error(
  "Sealwax does not run in the Edge runtime of Next.js, which has no node:crypto: write export const runtime = 'nodejs'",
)
