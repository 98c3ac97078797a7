/** A key pair whose private key cannot leave the browser. */
export interface DpopKey {
  readonly privateKey: CryptoKey
  /** The public key, as it is in the header of each proof. */
  readonly jwk: object
}

/** Longer than this, a browser that does not answer is not waited for. */
const PATIENCE_MS = 3000

/** Prepares a key pair of P-256. */
export async function readKeyPair({ privateKey, publicKey }: CryptoKeyPair): Promise<DpopKey> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  return { privateKey, jwk: { kty, crv, x, y } }
}

/**
 * Returns the key pair of this name from IndexedDB, which all tabs of the origin share. The first
 * tab generates it. Where IndexedDB cannot be used, the key pair is in memory.
 */
export async function storedKeyPair(name: string): Promise<CryptoKeyPair> {
  const made = await generate()
  // A second attempt: with another key, the session would be lost.
  return keep(name, made).catch(() => keep(name, made).catch(() => made))
}

/** Stores a key pair, unless there is one: then it returns that. */
async function keep(name: string, made: CryptoKeyPair): Promise<CryptoKeyPair> {
  const database = await open()
  try {
    const transaction = database.transaction('keys', 'readwrite')
    const keys = transaction.objectStore('keys')
    const known = keys.get(name)
    known.onsuccess = () => {
      if (!known.result) keys.put(made, name)
    }
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error)
    })
    return known.result ?? made
  } finally {
    database.close()
  }
}

function generate(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
}

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('sealwax-dpop', 1)
    request.onupgradeneeded = () => request.result.createObjectStore('keys')
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
    setTimeout(reject, PATIENCE_MS)
  })
}
