/** How often pages ask for their numbers. */

import assert from "node:assert/strict"
import { test } from "node:test"
import { ThrottledTask } from "../../static/js/lib/throttled-task.js"
import { FakeClock } from "./clock.js"

function paced({ isAllowed = () => true, fails = () => false, random } = {}) {
  const clock = new FakeClock(random)
  const asked = []
  async function act() {
    asked.push(clock.now)
    if (fails()) throw new Error("no")
  }
  return { clock, asked, task: new ThrottledTask(act, { period: 2000, spread: 500, isAllowed, clock }) }
}

test("a burst of a hundred is one question now and one afterwards", async () => {
  const { clock, asked, task } = paced()
  for (let number = 0; number < 100; number++) {
    task.request()
    await clock.advance(10)
  }
  await clock.advance(60_000)
  assert.deepEqual(asked, [250, 2500])
})

test("however long it goes on, there are never two seconds with more than two questions", async () => {
  const draws = [0, 1, 0.99, 0, 0.3, 0]
  const { clock, asked, task } = paced({ random: () => draws[asked.length % draws.length] })
  for (let number = 0; number < 1000; number++) {
    task.request()
    await clock.advance(20)
  }
  assert.ok(asked.length > 5)
  for (const begin of asked) {
    assert.ok(asked.filter((moment) => moment >= begin && moment < begin + 2000).length <= 2)
  }
})

test("a hidden page runs the task when it becomes visible", async () => {
  let hidden = true
  const { clock, asked, task } = paced({ isAllowed: () => !hidden })
  task.request()
  await clock.advance(60_000)
  assert.deepEqual(asked, [])
  hidden = false
  task.check()
  await clock.advance(500)
  assert.equal(asked.length, 1)
  task.check()
  await clock.advance(60_000)
  assert.equal(asked.length, 1)
})

test("a page that is hidden before its turn comes asks later", async () => {
  let hidden = false
  const { clock, asked, task } = paced({ isAllowed: () => !hidden })
  task.request()
  hidden = true
  await clock.advance(60_000)
  assert.deepEqual(asked, [])
  hidden = false
  task.check()
  await clock.advance(500)
  assert.equal(asked.length, 1)
})

test("what failed is asked again, later and later, until it succeeds", async () => {
  let failures = 3
  const { clock, asked, task } = paced({ fails: () => failures-- > 0 })
  task.request()
  await clock.advance(600_000)
  assert.deepEqual(asked, [250, 2500, 6750, 15_000])
})
