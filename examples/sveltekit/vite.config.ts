import adapter from '@sveltejs/adapter-node'
import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'
import { sources } from './sources.ts'
import { url } from './src/lib/server/url.ts'

export default defineConfig({
  plugins: [
    sources, // not in a project of your own
    sveltekit({
      adapter: adapter(),
      paths: { origin: url }, // forms of other origins are refused
      csp: {
        directives: {
          'default-src': ['none'],
          'script-src': ['self'],
          'connect-src': ['self'],
          'img-src': ['self', 'data:'],
          'style-src': ['self', 'unsafe-inline'], // SvelteKit announces each page to screen readers in such an element
          'form-action': ['self'],
          'frame-ancestors': ['none'],
          'base-uri': ['none'],
        },
      },
    }),
  ],
  server: { host: '127.0.0.1', port: Number(new URL(url).port), strictPort: true },
  ssr: { external: ['sealwax', '@sealwax/guard'] }, // passwords are hashed in native code, which cannot be bundled
})
