/**
 * Reads the body of a reply as UTF-8, and no further than `limit` octets: whoever answers must not fill our memory. Rejects when it is larger, or
 * malformed.
 */
export async function textWithin(response: Response, limit: number): Promise<string> {
  const reader = response.body?.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    size += part.value.length
    if (size > limit) {
      await reader?.cancel()
      throw new Error(`the answer is larger than ${limit} octets`)
    }
    chunks.push(part.value)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
}
