import type { ComponentChildren } from 'preact'
import '../style.css'
import { ThemeButton } from './theme-button.tsx'

/** The pages that the shell links to. */
export type PageName = 'inspect' | 'learn'

const PAGES: readonly { name: PageName; label: string }[] = [
  { name: 'inspect', label: 'Inspector' },
  { name: 'learn', label: 'Lesson' },
]

/**
 * What all pages have: the skip link, the name, the links to the other pages, the choice of colours.
 *
 * @param available the pages that this server has
 */
export function Shell({
  page,
  available,
  children,
}: {
  page: PageName
  available: readonly PageName[]
  children: ComponentChildren
}) {
  const pages = PAGES.filter(({ name }) => available.includes(name))
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <header class="top">
        <div>
          <span class="brand">
            <Seal /> Sealwax
          </span>
          {pages.length > 1 && (
            <nav aria-label="Pages">
              {pages.map(({ name, label }) => (
                <a key={name} href={`./${name}`} aria-current={name === page ? 'page' : undefined}>
                  {label}
                </a>
              ))}
            </nav>
          )}
          <span class="end">
            <ThemeButton />
          </span>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  )
}

/** The fragment of the address belongs to the page, so the link only moves the focus. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Seal() {
  return (
    <svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true" fill="currentColor">
      <path d="M12 1.5c1.5 0 2.2 1.3 3.5 1.7s2.700-.3 3.800.8.400 2.500.800 3.800 1.700 2.700 1.700 4.200-1.300 2.200-1.700 3.500.3 2.700-.8 3.800-2.500.400-3.800.800-2 1.700-3.500 1.700-2.200-1.300-3.500-1.700-2.700.3-3.800-.8-.4-2.500-.8-3.800-1.700-2-1.700-3.500 1.300-2.700 1.700-4.200-.3-2.700.8-3.800 2.500-.4 3.800-.8 2-1.700 3.500-1.700z" />
      <path d="M9 8.500h6v1.800H9zm0 3.600h6v1.800H9z" fill="var(--ground)" />
    </svg>
  )
}
