// TAP for the JavaScript suites: test(name, async function) registers, run() runs them in order and exits.
import { deepStrictEqual } from 'node:assert'
import { execFileSync } from 'node:child_process'
import process from 'node:process'

const tests = []

export function test(name, run) {
  tests.push({ name, run })
}

export const same = deepStrictEqual

export class Skip extends Error {}

// A client that hangs must not hang the suite.
function limited(promise, seconds) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${seconds} s`)), seconds * 1000)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

export async function run() {
  let failed = 0
  for (const [i, { name, run }] of tests.entries()) {
    try {
      await limited(run(), 60)
      console.log(`ok ${i + 1} - ${name}`)
    } catch (error) {
      if (error instanceof Skip) {
        console.log(`ok ${i + 1} - ${name} # SKIP ${error.message}`)
        continue
      }
      failed++
      console.log(`not ok ${i + 1} - ${name}`)
      const text = `${error.stack ?? error}\n${(error.errors ?? []).map(e => e.stack ?? e).join('\n')}`
      for (const line of text.split('\n').slice(0, 12)) console.log(`# ${line.slice(0, 300)}`)
    }
  }
  console.log(`1..${tests.length}`)
  process.exit(failed ? 1 : 0)
}

// The consumers of these clients need consumer groups; what was produced is read back with kcat.
export function read(broker, topic, partition = 0) {
  const out = execFileSync('kcat', ['-q', '-b', broker, '-C', '-e', '-J', '-t', topic, '-p', String(partition),
    '-o', 'beginning', '-X', 'check.crcs=true'], { encoding: 'utf8', timeout: 30000, maxBuffer: 1 << 28 })
  return out.split('\n').filter(line => line !== '').map(line => JSON.parse(line))
}

export const prefix = client => `it-${client}-${Date.now()}-${process.pid}`
