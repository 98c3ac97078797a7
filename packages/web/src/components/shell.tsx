import type { ComponentChildren } from 'preact'
import '../style.css'
import { Seal } from './seal.tsx'
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
