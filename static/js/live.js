/** This page's liveness: its socket, its history, its window. */

import Echo from "laravel-echo"
import { echoOptions } from "./echo-options.js"
import { fetchHistory } from "./history.js"
import { Live } from "./liveness.js"
import { config, csrfToken } from "./page.js"

export const live = new Live({
  config,
  echo: new Echo(echoOptions(config, location, csrfToken())),
  fetchHistory,
})
