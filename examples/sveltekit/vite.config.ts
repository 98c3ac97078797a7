import adapter from '@sveltejs/adapter-node'
import { sveltekit } from '@sveltejs/kit/vite'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [
    sveltekit({
      adapter: adapter(),
      // Forms of other origins are refused, and the tokens are for this one. In production https://www.example.com.
      paths: { origin: `http://127.0.0.1:${process.env.PORT ?? 3000}` },
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
  ssr: { external: ['sealwax', '@sealwax/guard'] }, // passwords are hashed in native code, which cannot be bundled
})
