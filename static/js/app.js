/** Entry module of every page: defines the custom elements and behaviours, then starts live updates. */

import "./elements/relative-time.js"
import "./elements/state-chip.js"
import "./elements/toast-list.js"
import "./elements/ticket-list.js"
import "./elements/ticket-bulk.js"
import "./behaviors/list-keys.js"
import "./behaviors/live-counts.js"
import "./elements/activity-list.js"
import "./elements/ticket-page.js"
import "./elements/ticket-composer.js"
import "./elements/ticket-presence.js"
import "./elements/composer-activity.js"
import "./elements/send-guard.js"
import "./elements/file-picker.js"
import "./elements/file-size.js"
import "./elements/message-original.js"
import "./elements/form-draft.js"
import "./elements/sortable-list.js"
import "./behaviors/live-form.js"
import "./behaviors/session-watch.js"
import "./behaviors/text-limit.js"
import { config } from "./lib/page-config.js"
import { live } from "./live/index.js"

if (config.debug) window.Pusher.logToConsole = true
live.start()
