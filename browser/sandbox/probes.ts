/**
 * Returns code of a function that tries to get out of a worker in every way, and returns the names
 * of the ways that work, with commas between them.
 *
 * @param url the server to be reached
 */
export function probes(url: string): string {
  return `async function probe() {
  const url = '${url}'
  const heard = (target) => new Promise((resolve, reject) => {
    target.onload = target.onopen = target.onsuccess = resolve
    target.onerror = reject
  })
  const ways = {
    'fetch': () => fetch(url),
    'fetch without CORS': () => fetch(url, { mode: 'no-cors' }),
    'XMLHttpRequest': () => {
      const request = new XMLHttpRequest()
      request.open('GET', url)
      request.send()
      return heard(request)
    },
    'import': () => import(url),
    'import of data': () => import('data:text/javascript,1'),
    'importScripts': () => importScripts(url),
    'WebSocket': () => heard(new WebSocket(url.replace('http', 'ws'))),
    'indexedDB': () => heard(indexedDB.open('probe')),
    'caches': () => caches.open('probe'),
    'locks': () => navigator.locks.request('probe', () => {}),
    'WebCrypto': () => crypto.subtle.digest('SHA-256', new Uint8Array(1)),
    'eval': () => eval('1'),
    'Function': () => new Function('return 1')(),
    'localStorage': () => localStorage.length,
    'document': () => document.title,
    'parent': () => parent.document.title,
  }
  const open = []
  for (const [name, way] of Object.entries(ways)) {
    try {
      await way()
      open.push(name)
    } catch {}
  }
  return open.join(', ')
}`
}

/** What a worker of an ordinary page can do. This shows that the probes work. */
export const ORDINARY = [
  ...['fetch', 'fetch without CORS', 'XMLHttpRequest', 'import', 'import of data', 'importScripts', 'WebSocket'],
  ...['indexedDB', 'caches', 'locks', 'WebCrypto', 'eval', 'Function'],
].join(', ')
