/** The throttled task limits how often it runs. */

import assert from "node:assert/strict"
import { test } from "node:test"
import { ThrottledTask } from "../../static/js/lib/throttled-task.js"
import { FakeClock } from "./clock.js"

function setUp({ isAllowed = () => true, fails = () => false, random } = {}) {
  const clock = new FakeClock(random)
  const runs = []
  async function act() {
    runs.push(clock.now)
    if (fails()) throw new Error("no")
  }
  return { clock, runs, task: new ThrottledTask(act, { period: 2000, spread: 500, isAllowed, clock }) }
}

test("a burst of a hundred requests runs now and once afterwards", async () => {
  const { clock, runs, task } = setUp()
  for (let number = 0; number < 100; number++) {
    task.request()
    await clock.advance(10)
  }
  await clock.advance(60_000)
  assert.deepEqual(runs, [250, 2500])
})

test("continuous requests run at most twice in two seconds", async () => {
  const draws = [0, 1, 0.99, 0, 0.3, 0]
  const { clock, runs, task } = setUp({ random: () => draws[runs.length % draws.length] })
  for (let number = 0; number < 1000; number++) {
    task.request()
    await clock.advance(20)
  }
  assert.ok(runs.length > 5)
  for (const begin of runs) {
    assert.ok(runs.filter((moment) => moment >= begin && moment < begin + 2000).length <= 2)
  }
})

test("a request while not allowed runs when allowed", async () => {
  let hidden = true
  const { clock, runs, task } = setUp({ isAllowed: () => !hidden })
  task.request()
  await clock.advance(60_000)
  assert.deepEqual(runs, [])
  hidden = false
  task.check()
  await clock.advance(500)
  assert.equal(runs.length, 1)
  task.check()
  await clock.advance(60_000)
  assert.equal(runs.length, 1)
})

test("a scheduled run waits when it is no longer allowed", async () => {
  let hidden = false
  const { clock, runs, task } = setUp({ isAllowed: () => !hidden })
  task.request()
  hidden = true
  await clock.advance(60_000)
  assert.deepEqual(runs, [])
  hidden = false
  task.check()
  await clock.advance(500)
  assert.equal(runs.length, 1)
})

test("a failed task is retried with growing delays", async () => {
  let failures = 3
  const { clock, runs, task } = setUp({ fails: () => failures-- > 0 })
  task.request()
  await clock.advance(600_000)
  assert.deepEqual(runs, [250, 2500, 6750, 15_000])
})
