/** A search announces the changed tickets that the server finds, and no others. */

import assert from "node:assert/strict"
import { test } from "node:test"
import { SearchMatches } from "../../static/js/lib/search-matches.js"
import { FakeClock } from "./clock.js"

function setUp(answers) {
  const asked = []
  const found = []
  const clock = new FakeClock()
  const matches = new SearchMatches({
    fetchMatches: async (uuids) => {
      asked.push(uuids)
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
      return answer
    },
    onFound: (uuids) => found.push(...uuids),
    clock,
  })
  return { matches, asked, found, clock }
}

test("tickets that change together are one question, and only found ones are announced", async () => {
  const { matches, asked, found, clock } = setUp([["b"]])
  for (const uuid of ["a", "b", "a"]) matches.add(uuid)
  await clock.advance(10_000)
  assert.deepEqual(asked, [["a", "b"]])
  assert.deepEqual(found, ["b"])
})

test("a ticket that changes again is asked about again", async () => {
  const { matches, asked, found, clock } = setUp([[], ["a"]])
  matches.add("a")
  await clock.advance(10_000)
  matches.add("a")
  await clock.advance(10_000)
  assert.equal(asked.length, 2)
  assert.deepEqual(found, ["a"])
})

test("a question that failed is repeated", async () => {
  const { matches, asked, found, clock } = setUp([new Error("429"), ["a"]])
  matches.add("a")
  await clock.advance(20_000)
  assert.deepEqual(asked, [["a"], ["a"]])
  assert.deepEqual(found, ["a"])
})

test("a withdrawn ticket is not asked about", async () => {
  const { matches, asked, clock } = setUp([[]])
  matches.add("a")
  matches.delete("a")
  await clock.advance(10_000)
  assert.deepEqual(asked, [])
})
