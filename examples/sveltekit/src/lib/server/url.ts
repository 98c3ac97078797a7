/** The URL of the site, also for the build: in production https://www.example.com. */
export const url = `http://127.0.0.1:${process.env.PORT ?? 3000}`
