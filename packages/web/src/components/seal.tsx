/** A wax seal: the mark of Sealwax, and with a tick the mark of what is done. */
export function Seal({ ticked = false }: { ticked?: boolean }) {
  return (
    <svg class="seal" width="22" height="22" viewBox="0 0 24 24" aria-hidden="true" fill="currentColor">
      <path d="M12 1.5c1.5 0 2.2 1.3 3.5 1.7s2.700-.3 3.800.8.400 2.500.800 3.800 1.700 2.700 1.700 4.200-1.300 2.200-1.700 3.500.3 2.700-.8 3.800-2.500.400-3.800.800-2 1.700-3.500 1.700-2.200-1.300-3.500-1.700-2.700.3-3.800-.8-.4-2.500-.8-3.800-1.700-2-1.700-3.500 1.300-2.700 1.700-4.200-.3-2.700.8-3.800 2.500-.4 3.800-.8 2-1.700 3.500-1.700z" />
      {ticked ? (
        <path d="m7.500 12 3.200 3.200 5.800-6" fill="none" stroke="var(--ground)" stroke-width="2.200" />
      ) : (
        <path d="M9 8.500h6v1.800H9zm0 3.600h6v1.800H9z" fill="var(--ground)" />
      )}
    </svg>
  )
}

/** Says that something is done, in a picture and in words. */
export function Done() {
  return (
    <span class="done">
      <Seal ticked />
      <span class="visually-hidden">done</span>
    </span>
  )
}
