import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Network, networksOf } from '../../src/core/network.ts'
import { createShares, type LaneName, type Place } from '../../src/core/shares.ts'

/** Shares with named places. Records which callers run and which were refused, in order. */
function watched(options: { places: number; waiting: number }) {
  const shares = createShares({ ...options, refuse: () => new Error('refused') })
  const running: string[] = []
  const refused: string[] = []
  const places = new Map<string, Place>()
  const enter = (name: string, network: Network, lane?: LaneName) => {
    let place: Place
    try {
      place = shares.enter(network, lane)
    } catch {
      refused.push(name)
      return
    }
    places.set(name, place)
    if (place.turn === undefined) running.push(name)
    else {
      place.turn.then(
        () => running.push(name),
        () => refused.push(name),
      )
    }
  }
  return {
    running,
    refused,
    /** Enters callers one after the other, each named by the prefix and a number. */
    enter(count: number, prefix: string, network: Network = { site: prefix, subnet: prefix }, lane?: LaneName) {
      for (let i = 0; i < count; i += 1) enter(`${prefix}${i}`, network, lane)
    },
    async leave(...names: string[]) {
      for (const name of names) places.get(name)?.leave()
      await settled()
    },
  }
}

const settled = () => new Promise((turn) => setImmediate(turn))

describe('shares', () => {
  it('a single network uses every place; its next caller is refused', async () => {
    const shares = watched({ places: 2, waiting: 6 })
    shares.enter(9, 'a')
    await settled()
    assert.deepEqual([shares.running, shares.refused], [['a0', 'a1'], ['a8']])
    await shares.leave('a0', 'a1')
    assert.deepEqual(shares.running.slice(2), ['a2', 'a3'])
  })

  it('a newcomer replaces the newest waiter of the network with the most places, up to a quarter', async () => {
    const shares = watched({ places: 2, waiting: 10 })
    shares.enter(12, 'a')
    shares.enter(4, 'b')
    await settled()
    assert.deepEqual(shares.refused, ['b3', 'a11', 'a10', 'a9'])
  })

  it('a network with a quarter of the places is refused while others wait, and replaces no other network', async () => {
    const shares = watched({ places: 1, waiting: 19 })
    shares.enter(5, 'a')
    shares.enter(1, 'b')
    shares.enter(1, 'a-late', { site: 'a', subnet: 'a' })
    await settled()
    assert.deepEqual(shares.refused, ['a-late0'])
    await shares.leave('b0')
    shares.enter(15, 'a-again', { site: 'a', subnet: 'a' })
    await settled()
    assert.deepEqual(shares.refused, ['a-late0'])
  })

  it('networks run in turn, regardless of how many callers of one network wait', async () => {
    const shares = watched({ places: 1, waiting: 40 })
    shares.enter(6, 'a')
    shares.enter(2, 'b')
    shares.enter(1, 'c')
    for (let i = 0; i < 8; i += 1) await shares.leave(shares.running.at(-1) as string)
    assert.deepEqual(shares.running, ['a0', 'a1', 'b0', 'c0', 'a2', 'b1', 'a3', 'a4', 'a5'])
  })

  it('a network with slow requests does not take over the places of others', async () => {
    const shares = watched({ places: 4, waiting: 40 })
    shares.enter(2, 'quick')
    shares.enter(10, 'slow')
    for (let i = 2; i < 8; i += 1) shares.enter(1, `quick-${i}-`, { site: 'quick', subnet: 'quick' })
    // Only the fast ones end.
    for (let i = 0; i < 6; i += 1) await shares.leave(shares.running.findLast((name) => name.startsWith('quick')) ?? '')
    assert.deepEqual(
      shares.running.filter((name) => name.startsWith('slow')),
      ['slow0', 'slow1'],
    )
  })

  it('networks with one waiter each are not replaced by a new network', async () => {
    const shares = watched({ places: 1, waiting: 8 })
    for (const name of 'abcdefghi') shares.enter(1, name)
    shares.enter(1, 'z')
    await settled()
    assert.deepEqual(shares.refused, ['z0'])
  })

  it('a caller that leaves while waiting frees its place and never runs', async () => {
    const shares = watched({ places: 1, waiting: 1 })
    shares.enter(2, 'a')
    await shares.leave('a1', 'a1')
    shares.enter(1, 'b')
    await shares.leave('a0', 'a0')
    shares.enter(1, 'c')
    await settled()
    assert.deepEqual([shares.running, shares.refused], [['a0', 'b0'], []])
  })

  it('without a queue, a caller that finds no free place is refused', async () => {
    const shares = watched({ places: 2, waiting: 0 })
    shares.enter(3, 'a')
    shares.enter(1, 'b')
    assert.deepEqual(
      [shares.running, shares.refused],
      [
        ['a0', 'a1'],
        ['a2', 'b0'],
      ],
    )
  })
})

describe('shares, among the subnets of a site', () => {
  const at = (site: string, subnet: string): Network => ({ site, subnet: `${site}:${subnet}` })

  it('a site with many subnets gets at most a quarter while others wait', async () => {
    const shares = watched({ places: 4, waiting: 36 })
    for (let i = 0; i < 40; i += 1) shares.enter(1, `a${i}-`, at('a', `${i}`))
    shares.enter(10, 'b')
    for (let i = 40; i < 50; i += 1) shares.enter(1, `a${i}-`, at('a', `${i}`))
    await settled()
    assert.equal(shares.refused.filter((name) => name.startsWith('b')).length, 0)
    assert.equal(shares.refused.filter((name) => name.startsWith('a')).length, 20)
  })

  it('a subnet that fills the share of its site is replaced by its neighbours only', async () => {
    const shares = watched({ places: 1, waiting: 15 })
    shares.enter(2, 'b')
    shares.enter(4, 'a', at('a', '1'))
    shares.enter(2, 'neighbour', at('a', '2'))
    shares.enter(1, 'a-late', at('a', '1'))
    await settled()
    assert.deepEqual(shares.refused, ['a-late0', 'a3', 'a2'])
  })

  it('the only subnet on the server uses every place; a neighbour in its site then gets a share', async () => {
    const shares = watched({ places: 1, waiting: 7 })
    shares.enter(8, 'a', at('a', '1'))
    shares.enter(3, 'neighbour', at('a', '2'))
    await settled()
    assert.deepEqual(shares.refused, ['neighbour2', 'a7', 'a6'])
  })

  it('sites run in turn, and so do the subnets of a site', async () => {
    const shares = watched({ places: 1, waiting: 40 })
    shares.enter(1, 'first')
    for (const subnet of ['1', '2', '3']) shares.enter(2, `a${subnet}-`, at('a', subnet))
    shares.enter(4, 'b')
    for (let i = 0; i < 8; i += 1) await shares.leave(shares.running.at(-1) as string)
    assert.deepEqual(shares.running.slice(1), ['a1-0', 'b0', 'a2-0', 'b1', 'a3-0', 'b2', 'a1-1', 'b3'])
  })

  it('whoever has priority runs next, even when the queue is full, and every second turn goes to the others', async () => {
    const shares = watched({ places: 1, waiting: 8 })
    for (const name of 'abcdefghi') shares.enter(1, name)
    shares.enter(3, 'known', at('k', '1'), 'priority')
    for (let i = 0; i < 6; i += 1) await shares.leave(shares.running.at(-1) as string)
    assert.deepEqual(shares.running, ['a0', 'known0', 'b0', 'known1', 'c0', 'known2', 'd0'])
    assert.deepEqual(shares.refused, [])
  })

  it('callers with priority share their lane by network, and cannot fill the queue of the others', async () => {
    const shares = watched({ places: 1, waiting: 8 })
    shares.enter(10, 'flood', at('a', '1'), 'priority')
    shares.enter(1, 'owner', at('b', '1'), 'priority')
    shares.enter(1, 'other')
    await settled()
    assert.deepEqual(shares.refused, ['flood9', 'flood8'])
    await shares.leave('flood0')
    await shares.leave('flood1')
    await shares.leave('other0')
    assert.deepEqual(shares.running, ['flood0', 'flood1', 'other0', 'owner0'])
  })

  it('without others, callers with priority use every place', () => {
    const shares = watched({ places: 3, waiting: 8 })
    shares.enter(3, 'known', at('k', '1'), 'priority')
    assert.deepEqual(shares.running, ['known0', 'known1', 'known2'])
  })
})

/** Deterministic random numbers. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

describe('shares, at random', () => {
  it('every free place is used, never too many run, and no network grows beyond a quarter while others wait', async () => {
    const random = numbers(7)
    for (let round = 0; round < 200; round += 1) {
      const [places, waiting] = [1 + random(5), random(20)]
      const quarter = Math.max(1, Math.floor((places + waiting) / 4))
      const shares = createShares({ places, waiting, refuse: () => new Error('refused') })
      const inside = new Map<Place, { site: string; subnet: string; runs: boolean }>()
      const held = (key: 'site' | 'subnet', name: string) =>
        [...inside.values()].filter((each) => each[key] === name).length
      for (let step = 0; step < 100; step += 1) {
        const [leaving] = [...inside.keys()].slice(random(30))
        if (leaving !== undefined) {
          inside.delete(leaving)
          leaving.leave()
        } else {
          const site = `${random(4)}`
          const subnet = `${site}:${random(3)}`
          const before = { all: inside.size, site: held('site', site), subnet: held('subnet', subnet) }
          const othersWait = [...inside.values()].some((each) => !each.runs && each.site !== site)
          try {
            const place = shares.enter({ site, subnet })
            const entry = { site, subnet, runs: place.turn === undefined }
            inside.set(place, entry)
            const begin = () => {
              entry.runs = true
            }
            place.turn?.then(begin, () => inside.delete(place))
            await settled()
            if (othersWait) assert.ok(held('site', site) <= Math.max(quarter, before.site))
          } catch (error) {
            assert.equal((error as Error).message, 'refused')
            assert.ok(before.all === places + waiting || before.site >= quarter || before.subnet >= quarter)
          }
        }
        await settled()
        assert.ok(inside.size <= places + waiting)
        const running = [...inside.values()].filter(({ runs }) => runs).length
        assert.equal(running, Math.min(inside.size, places))
      }
    }
  })
})

describe('networks', () => {
  const cases: [name: string, ip: string | undefined, site: string, subnet: string][] = [
    ['IPv4 /24', '203.0.113.9', '203.0.113', '203.0.113'],
    ['IPv4 written as IPv6', '::ffff:203.0.113.9', '203.0.113', '203.0.113'],
    ['IPv6 /64 within /48', '2001:db8:1:2:3:4:5:6', '2001:db8:1', '2001:db8:1:2'],
    ['IPv6 with zeros left out', '2001:DB8::7', '2001:db8:0', '2001:db8:0:0'],
    ['IPv6 with a zone', 'fe80::1%eth0', 'fe80:0:0', 'fe80:0:0:0'],
    ['no address', undefined, 'unknown', 'unknown'],
    ['an invalid address', 'unix:', 'unknown', 'unknown'],
  ]
  for (const [name, ip, site, subnet] of cases) {
    it(name, () => assert.deepEqual(networksOf(ip), { site, subnet }))
  }
})
