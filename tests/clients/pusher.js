/** The real pusher-js, left to itself: it ends when it has nothing more to do. */

import Pusher from "pusher-js"

import { options, server, watch } from "./tell.js"

watch(new Pusher(options.key, { ...server, cluster: "", ...options.pusher }))
