import assert from "node:assert/strict"
import test from "node:test"

import { AlertSpeaker } from "../../static/js/lib/notifications/alert-speaker.js"

/** Locks of one browser: each name is free once. */
function lockManager() {
  const held = new Set()
  return {
    async request(name, _options, task) {
      const lock = held.has(name) ? null : { name }
      held.add(name)
      await task(lock)
    },
  }
}

const clock = { setTimeout: (task) => queueMicrotask(task) }

function tab(locks, { hasFocus = false, hidden = false } = {}) {
  return new AlertSpeaker({ page: { hidden, hasFocus: () => hasFocus }, clock, locks })
}

async function spoken(tabs, event = "1") {
  const said = []
  await Promise.all(
    tabs.map((each, place) => each.speak(event, (isLookedAt) => said.push([place, isLookedAt]))),
  )
  return said
}

test("of several tabs one speaks", async () => {
  const locks = lockManager()
  const tabs = [tab(locks), tab(locks), tab(locks)]
  assert.equal((await spoken(tabs)).length, 1)
  assert.equal((await spoken(tabs, "2")).length, 1)
})

test("the tab that is looked at comes first", async () => {
  const locks = lockManager()
  assert.deepEqual(await spoken([tab(locks), tab(locks, { hasFocus: true })]), [[1, true]])
})

test("a hidden tab is not looked at, although it has the focus", async () => {
  assert.deepEqual(await spoken([tab(lockManager(), { hasFocus: true, hidden: true })]), [[0, false]])
})

test("without locks each tab speaks: the tag of the notification makes it one", async () => {
  assert.equal((await spoken([tab(null), tab(null)])).length, 2)
})
