/** A key pair whose private key cannot leave the browser. */
export interface DpopKey {
  readonly privateKey: CryptoKey
  /** The public key, as it is in the header of each proof. */
  readonly jwk: object
}

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
  const database = await open().catch(() => undefined)
  if (!database) return generate()
  const known = await settled<CryptoKeyPair | undefined>(database.transaction('keys').objectStore('keys').get(name))
  const pair = known ?? (await keepFirst(database, name, await generate()))
  database.close()
  return pair
}

/** Stores a key pair, unless another tab has stored one: then it returns that. */
async function keepFirst(database: IDBDatabase, name: string, pair: CryptoKeyPair): Promise<CryptoKeyPair> {
  const keys = database.transaction('keys', 'readwrite').objectStore('keys')
  try {
    // `add` fails if there is one.
    await settled(keys.add(pair, name))
    return pair
  } catch {
    const first = database.transaction('keys').objectStore('keys').get(name)
    // Some browsers cannot store a key in a private window.
    return (await settled<CryptoKeyPair | undefined>(first)) ?? pair
  }
}

function generate(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open('sealwax', 1)
  request.onupgradeneeded = () => request.result.createObjectStore('keys')
  return settled(request)
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}
