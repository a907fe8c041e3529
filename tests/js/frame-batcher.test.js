/** The frame batcher draws the last state of each key. */

import assert from "node:assert/strict"
import { beforeEach, test } from "node:test"

import { FrameBatcher } from "../../static/js/lib/frame-batcher.js"

let drawn
let world
let latest

/** A page whose frames the test triggers. */
function page(hidden = false) {
  const due = []
  const wait = (act) => due.push(act)
  return {
    document: { hidden },
    requestAnimationFrame: hidden ? () => assert.fail("a hidden page has no animation frames") : wait,
    setTimeout: hidden ? wait : () => assert.fail("a frame is sooner"),
    frame: () => due.splice(0).forEach((act) => act()),
  }
}

function begin(hidden) {
  world = page(hidden)
  drawn = []
  latest = new FrameBatcher((states) => drawn.push([...states]), world)
}

beforeEach(() => begin())

test("a burst on one key is drawn once, with the last state", () => {
  for (let number = 1; number <= 100; number += 1) latest.set("refund", number)
  assert.deepEqual(drawn, [])
  world.frame()
  assert.deepEqual(drawn, [[["refund", 100]]])
})

test("each key of a burst is drawn, the last changed key last", () => {
  latest.set("refund", 1)
  latest.set("parcel", 1)
  latest.set("refund", 2)
  world.frame()
  assert.deepEqual(drawn, [
    [
      ["parcel", 1],
      ["refund", 2],
    ],
  ])
})

test("states after a frame are drawn in the next frame", () => {
  latest.set("refund", 1)
  world.frame()
  latest.set("refund", 2)
  world.frame()
  assert.deepEqual(drawn, [[["refund", 1]], [["refund", 2]]])
})

test("a deleted key is not drawn", () => {
  latest.set("refund", 1)
  latest.set("parcel", 1)
  latest.delete("refund")
  world.frame()
  assert.deepEqual(drawn, [[["parcel", 1]]])
})

test("a hidden page is drawn without frames", () => {
  begin(true)
  latest.set("refund", 1)
  world.frame()
  assert.deepEqual(drawn, [[["refund", 1]]])
})
