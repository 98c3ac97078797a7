import { useEffect, useState } from 'preact/hooks'

/** Larger than any token that a server accepts. */
const MAX_OCTETS = 1_048_576

/** Reads a file that should contain a token. */
export async function readTokenFile(file: File): Promise<{ readonly text: string } | { readonly fault: string }> {
  if (file.size > MAX_OCTETS) return { fault: `${file.name} is larger than 1 MiB. That is not a token.` }
  try {
    return { text: await file.text() }
  } catch {
    return { fault: `${file.name} could not be read.` }
  }
}

/** Saves a token as a file. A link with the token in it would end up in histories and logs. */
export function saveTokenFile(token: string): void {
  const url = URL.createObjectURL(new Blob([token], { type: 'application/jwt' }))
  const link = document.createElement('a')
  link.href = url
  link.download = 'token.jwt'
  link.click()
  setTimeout(() => URL.revokeObjectURL(url))
}

/**
 * Takes files that are dropped anywhere on the page.
 *
 * @returns whether a file is being dragged over the page
 */
export function useDroppedFile(onFile: (file: File) => void): boolean {
  const [isOver, setIsOver] = useState(false)
  useEffect(() => {
    const onDragOver = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      // Without this, the browser leaves the page and opens the file.
      event.preventDefault()
      setIsOver(true)
    }
    const onDragLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setIsOver(false)
    }
    const onDrop = (event: DragEvent) => {
      setIsOver(false)
      const file = event.dataTransfer?.files[0]
      if (file === undefined) return
      event.preventDefault()
      onFile(file)
    }
    document.addEventListener('dragover', onDragOver)
    document.addEventListener('dragleave', onDragLeave)
    document.addEventListener('drop', onDrop)
    return () => {
      document.removeEventListener('dragover', onDragOver)
      document.removeEventListener('dragleave', onDragLeave)
      document.removeEventListener('drop', onDrop)
    }
  }, [onFile])
  return isOver
}
