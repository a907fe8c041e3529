/** Shows changes of saved views beside open lists, wherever they were made. */

import { clone, fill } from "../lib/template.js"
import { live } from "../live/index.js"

const READERS = ["me", "office", "staff"]

live.stream.on("view.changed", ({ view, current }) => {
  for (const link of document.querySelectorAll(`[data-saved-view="${view.id}"]`)) {
    if (current) fill(link, current)
    else if (link.matches("nav *")) link.remove()
  }
  const nav = document.querySelector("nav.views[data-saved-views]")
  if (nav && current) place(nav, current)
})

/** Puts a view among those for the same people, and adds one that is not shown yet. */
function place(nav, current) {
  const link = nav.querySelector(`[data-saved-view="${current.id}"]`) ?? clone("saved-view", current)
  const next = [...nav.querySelectorAll("[data-saved-view]")].find(
    (other) => other !== link && compare(rankOf(other), rankOf(link)) > 0,
  )
  nav.insertBefore(link, next ?? null)
}

function rankOf({ dataset: { visibleTo, order, savedView } }) {
  return [READERS.indexOf(visibleTo), Number(order), Number(savedView)]
}

function compare(first, second) {
  const place = first.findIndex((value, index) => value !== second[index])
  return place === -1 ? 0 : first[place] - second[place]
}
