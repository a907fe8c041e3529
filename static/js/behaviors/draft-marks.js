/** Marks in lists the tickets for which the user has a draft, also in rows that are added later. */

import { whenListed } from "../lib/page-parts/list-place.js"
import { live } from "../live/index.js"

whenListed((list) => {
  const rows = list.querySelector("#ticket-rows")
  const drafted = new Set(rows.dataset.drafts.split(" "))
  const versions = new Map()
  const show = (row) => {
    const mark = row.querySelector(".row-draft")
    if (mark) mark.hidden = !drafted.has(row.dataset.uuid)
  }
  live.stream.on("draft.saved", ({ draft: { ticket, version, is_empty } }) => {
    if (version < versions.get(ticket)) return // two ways lead here
    versions.set(ticket, version)
    if (is_empty) drafted.delete(ticket)
    else drafted.add(ticket)
    const row = document.getElementById(`ticket-${ticket}`)
    if (row) show(row)
  })
  new MutationObserver((records) => {
    for (const node of records.flatMap(({ addedNodes }) => [...addedNodes]))
      if (node instanceof HTMLElement) show(node)
  }).observe(rows, { childList: true })
})
