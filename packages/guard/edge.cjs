// What bundlers choose for the Edge runtime of Next.js, by the condition edge-light.
throw new Error(
  "Sealwax does not run in the Edge runtime of Next.js, which has no node:crypto: write export const runtime = 'nodejs'",
)
