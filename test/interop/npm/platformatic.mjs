// Rollway against @platformatic/kafka (recent versions of each API, topic ids): node platformatic.mjs HOST:PORT
import process from 'node:process'
import zlib from 'node:zlib'
import { Admin, Consumer, Producer, stringSerializers } from '@platformatic/kafka'
import { prefix, read, run, same, Skip, test } from './tap.mjs'

const broker = process.argv[2]
const name = prefix('platformatic')
const base = { clientId: 'interop', bootstrapBrokers: [broker], retries: 1, timeout: 20000 }

async function using(client, use) {
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}
const withAdmin = use => using(new Admin(base), use)
const withProducer = (options, use) => using(new Producer({ ...base, serializers: stringSerializers, ...options }), use)

async function create(topic, partitions = 1, configs = []) {
  await withAdmin(a => a.createTopics({ topics: [topic], partitions, replicas: 1, configs }))
  return topic
}

test('create, extend, describe and delete topics', async () => {
  const topic = await create(`${name}-admin`, 2, [{ name: 'retention.ms', value: '123456' }])
  await withAdmin(async a => {
    same((await a.listTopics()).includes(topic), true)
    await a.createPartitions({ topics: [{ name: topic, count: 4, assignments: null }] })
    const metadata = await a.metadata({ topics: [topic], forceUpdate: true })
    same(metadata.topics.get(topic).partitionsCount, 4)
    const [described] = await a.describeConfigs({
      resources: [{ resourceType: 2, resourceName: topic }],
      includeSynonyms: true,
      includeDocumentation: true
    })
    same(described.configs.find(c => c.name === 'retention.ms').value, '123456')
    await a.deleteTopics({ topics: [topic] })
  })
})

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`${compression}: 1000 records, with offsets`, async () => {
    if (compression === 'zstd' && !zlib.zstdCompressSync) throw new Skip('this Node.js has no zstd')
    const topic = await create(`${name}-${compression}`)
    const wanted = Array.from({ length: 1000 }, (_, i) => [`k${i % 10}`, `${i} some text again ${i % 7}`])
    await withProducer({ compression }, async p => {
      for (let at = 0; at < wanted.length; at += 250) {
        const { offsets } = await p.send({
          acks: -1,
          messages: wanted.slice(at, at + 250).map(([key, value]) => ({ topic, partition: 0, key, value }))
        })
        same(Number(offsets[0].offset), at)
      }
    })
    same(read(broker, topic).map(r => [r.key, r.payload]), wanted)
  })
}

test('idempotent producer', async () => {
  const topic = await create(`${name}-idempotent`)
  await withProducer({ idempotent: true }, async p => {
    for (let i = 0; i < 20; i++) await p.send({ messages: [{ topic, partition: 0, value: `${i}` }] })
  })
  same(read(broker, topic).map(r => r.payload), Array.from({ length: 20 }, (_, i) => `${i}`))
})

test('fetch by topic id, without a group', async () => {
  const topic = await create(`${name}-fetch`)
  await withProducer({}, p => p.send({
    messages: Array.from({ length: 10 }, (_, i) => ({ topic, partition: 0, key: 'k', value: `${i}`, headers: { h: `${i}` } }))
  }))
  await using(new Consumer({ ...base, groupId: 'not-used' }), async c => {
    const metadata = await c.metadata({ topics: [topic] })
    const { id, partitions } = metadata.topics.get(topic)
    const response = await c.fetch({
      node: partitions[0].leader,
      maxWaitTime: 1000,
      topics: [{
        topicId: id,
        partitions: [{ partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, lastFetchedEpoch: -1, partitionMaxBytes: 1048576 }]
      }]
    })
    same(response.errorCode, 0)
    same(response.responses.length, 1)
    const part = response.responses[0].partitions[0]
    same([part.errorCode, part.highWatermark], [0, 10n])
    const values = part.records.flatMap(b => b.records).map(r => r.value.toString())
    same(values, Array.from({ length: 10 }, (_, i) => `${i}`))
    const offsets = await c.listOffsets({ topics: [topic], timestamp: -1n })
    same(offsets.get(topic), [10n])
  })
})

await run()
