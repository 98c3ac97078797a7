// The site is made of the same files that one reads in the repository: README.md, docs, and the READMEs
// of the examples. Links to other files go to the repository.
import { existsSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { sidebar } from './sidebar.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const REPOSITORY = 'https://github.com/sealwax/sealwax'
const ON_SITE =
  /^(?:README|docs\/.*|SECURITY|ARCHITECTURE|CONTRIBUTING|bench\/README|examples\/[^/]+\/README)(?:\.md)?$/

export default defineConfig({
  title: 'Sealwax',
  description: 'JWT authentication for TypeScript APIs',
  lang: 'en',
  base: process.env.SITE_BASE ?? '/',
  srcDir: root,
  srcExclude: ['**/node_modules/**', 'packages/**', 'docs-check/**', 'site/**', '.changeset/**', 'runtimes/**'],
  outDir: join(root, 'site/dist'),
  cacheDir: join(root, 'site/.vitepress/cache'),
  rewrites: (path) => path.replace(/README\.md$/, 'index.md'),
  cleanUrls: false,
  metaChunk: true,
  lastUpdated: false,
  ignoreDeadLinks: 'localhostLinks',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  themeConfig: {
    search: { provider: 'local' },
    sidebar,
    outline: { level: [2, 3] },
    socialLinks: [],
    nav: [
      { text: 'Pages by task', link: '/docs/embedding' },
      { text: 'Moving here', link: '/docs/moving/' },
      { text: 'Errors', link: '/docs/errors' },
      { text: 'Repository', link: REPOSITORY },
    ],
  },
  // The pages are outside this folder, and import these.
  vite: {
    resolve: {
      alias: Object.fromEntries(
        ['vue/server-renderer', 'vue'].map((name) => [name, join(root, 'site/node_modules', name)]),
      ),
    },
  },
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: (md) => {
      md.core.ruler.push('links', rewriteLinks)
      md.core.ruler.push('headers', fillHeaders)
    },
  },
})

/** A column without a title has no header cell: screen readers would announce an empty one. */
function fillHeaders({ tokens }) {
  for (const [index, token] of tokens.entries()) {
    if (token.type !== 'th_open' || tokens[index + 1]?.content !== '') continue
    token.tag = 'td'
    tokens[index + 2].tag = 'td'
  }
}

/** Links to files that are no pages of the site, from a page at `env.path`. */
function rewriteLinks({ tokens, env }) {
  const page = relative(root, env.realPath ?? env.path)
  for (const token of tokens.flatMap(({ children }) => children ?? [])) {
    const href = token.type === 'link_open' ? token.attrGet('href') : null
    if (href === null || /^(?:[a-z]+:|#|\/)/.test(href)) continue
    const [path = '', hash] = href.split('#')
    const target = relative(root, join(root, dirname(page), path))
    const readme = existsSync(join(root, target, 'README.md')) ? `${target}/README.md` : target
    const isFolder = statSync(join(root, readme), { throwIfNoEntry: false })?.isDirectory() === true
    if (ON_SITE.test(readme) && !isFolder) {
      const there = `/${readme.replace(/(^|\/)README\.md$/, '$1').replace(/\.md$/, '')}`
      token.attrSet('href', hash === undefined ? there : `${there}#${hash}`)
    } else token.attrSet('href', `${REPOSITORY}/blob/main/${target}${hash === undefined ? '' : `#${hash}`}`)
  }
}
