// Rollway against kafkajs: node kafkajs.mjs HOST:PORT
import { createRequire } from 'node:module'
import process from 'node:process'
import { prefix, read, run, same, Skip, test } from './tap.mjs'

const require = createRequire(import.meta.url)
const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, logLevel } = require('kafkajs')

const broker = process.argv[2]
const name = prefix('kafkajs')
const kafka = new Kafka({ clientId: 'interop', brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 2 } })

let snappy = false
try {
  CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
  snappy = true
} catch {
  // An optional dependency.
}

async function withAdmin(use) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

async function withProducer(options, use) {
  const producer = kafka.producer(options)
  await producer.connect()
  try {
    return await use(producer)
  } finally {
    await producer.disconnect()
  }
}

async function create(topic, numPartitions = 1, configEntries = []) {
  await withAdmin(a => a.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true }))
  return topic
}

test('describe the cluster', async () => {
  await withAdmin(async a => {
    const { brokers, controller, clusterId } = await a.describeCluster()
    same(brokers.length >= 1 && controller >= 0 && clusterId.length > 0, true)
  })
})

test('create, extend, describe and delete topics', async () => {
  const topic = await create(`${name}-admin`, 2, [{ name: 'retention.ms', value: '123456' }])
  await withAdmin(async a => {
    same(await a.createTopics({ topics: [{ topic }] }), false) // false: it exists
    await a.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
    const { topics } = await a.fetchTopicMetadata({ topics: [topic] })
    same(topics[0].partitions.length, 4)
    const { resources } = await a.describeConfigs({
      includeSynonyms: true,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }]
    })
    const entry = resources[0].configEntries.find(e => e.configName === 'retention.ms')
    same(entry.configValue, '123456')
    await a.deleteTopics({ topics: [topic] })
    for (let i = 0; i < 50 && (await a.listTopics()).includes(topic); i++) await new Promise(r => setTimeout(r, 100))
    same((await a.listTopics()).includes(topic), false)
  })
})

for (const [label, compression, there] of [
  ['none', CompressionTypes.None, true],
  ['gzip', CompressionTypes.GZIP, true],
  ['snappy', CompressionTypes.Snappy, snappy]
]) {
  test(`${label}: 2000 records`, async () => {
    if (!there) throw new Skip('its package is not installed')
    const topic = await create(`${name}-${label}`)
    const wanted = Array.from({ length: 2000 }, (_, i) => [i % 3 ? `k${i % 10}` : null, `${i} some text again ${i % 7}`])
    await withProducer({}, async p => {
      for (let at = 0; at < wanted.length; at += 500) {
        const [result] = await p.send({
          topic,
          compression,
          acks: -1,
          messages: wanted.slice(at, at + 500).map(([key, value]) => ({ key, value, partition: 0 }))
        })
        same(Number(result.baseOffset), at)
      }
    })
    same(read(broker, topic).map(r => [r.key, r.payload]), wanted)
  })
}

test('idempotent producer', async () => {
  const topic = await create(`${name}-idempotent`)
  await withProducer({ idempotent: true, maxInFlightRequests: 1 }, async p => {
    for (let i = 0; i < 20; i++) await p.send({ topic, messages: [{ value: `${i}`, partition: 0 }] })
  })
  same(read(broker, topic).map(r => r.payload), Array.from({ length: 20 }, (_, i) => `${i}`))
})

test('headers, null values, timestamps, acks 0 and 1', async () => {
  const topic = await create(`${name}-records`)
  await withProducer({}, async p => {
    await p.send({
      topic,
      acks: 1,
      messages: [
        { key: 'k', value: 'v', headers: { a: '1', b: '' }, timestamp: '1700000000123', partition: 0 },
        { key: 'k', value: null, partition: 0 }
      ]
    })
    await p.send({ topic, acks: 0, messages: [{ value: 'unacknowledged', partition: 0 }] })
  })
  let got = []
  for (let i = 0; i < 50 && got.length < 3; i++) got = read(broker, topic)
  same(got.map(r => r.payload), ['v', null, 'unacknowledged'])
  same(got[0].ts, 1700000000123)
  same(got[0].headers, ['a', '1', 'b', ''])
})

test('offsets, by time too; delete records', async () => {
  const topic = await create(`${name}-offsets`)
  await withProducer({}, p => p.send({
    topic,
    messages: Array.from({ length: 100 }, (_, i) => ({ value: `${i}`, partition: 0, timestamp: `${1700000000000 + 1000 * i}` }))
  }))
  await withAdmin(async a => {
    let [o] = await a.fetchTopicOffsets(topic)
    same([o.low, o.high], ['0', '100'])
    ;[o] = await a.fetchTopicOffsetsByTimestamp(topic, 1700000041500)
    same(o.offset, '42')
    await a.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '60' }] })
    ;[o] = await a.fetchTopicOffsets(topic)
    same([o.low, o.high], ['60', '100'])
  })
})

test('many messages over 12 partitions, one batch each', async () => {
  const topic = await create(`${name}-parts`, 12)
  await withProducer({}, p => p.sendBatch({
    topicMessages: [{ topic, messages: Array.from({ length: 1200 }, (_, i) => ({ key: `k${i}`, value: `${i}` })) }]
  }))
  const got = Array.from({ length: 12 }, (_, p) => read(broker, topic, p)).flat()
  same(got.map(r => Number(r.payload)).sort((x, y) => x - y), Array.from({ length: 1200 }, (_, i) => i))
})

await run()
