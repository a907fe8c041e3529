/** The page's live updates. */

import Echo from "laravel-echo"
import { config, csrfToken } from "../lib/page-config.js"
import { echoOptions } from "./echo-options.js"
import { fetchHistory } from "./history-api.js"
import { LiveUpdates } from "./live-updates.js"
import { watchAttempts } from "./socket-attempts.js"

// Before the first socket.
const attempts = watchAttempts(window.Pusher)

export const live = new LiveUpdates({
  config,
  echo: new Echo(echoOptions(config, location, csrfToken)),
  attempts,
  fetchHistory,
})
