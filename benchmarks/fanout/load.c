/* Opens many WebSockets to one server, requests events, and records which socket received which event when.
 *
 *   load PORT CONTROL_PORT SOCKETS CHANNELS plain|pusher|socketio
 *
 * A line on CONTROL_PORT requests an event: its number and its channel. The event contains `#00000123#`, its number.
 * Socket i is subscribed to channel i % CHANNELS, and event n is published on channel n % CHANNELS. When all sockets
 * have joined, `ready` is printed; then each line of standard input is a phase, answered by one line of JSON:
 *
 *   window W SECONDS   W events in flight, for SECONDS
 *   rate R SECONDS     R events per second, for SECONDS
 *   burst N            N events at once
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DIGITS = 8, RING = 1 << 16, BUFFER = 1 << 20, AT_ONCE = 32, EVENTS = 1024, EVER = 1 << 30 };
enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };
static const double SETTLE = 10, JOIN_WITHIN = 120; /* seconds */

typedef enum { SHAKING, JOINING, READY, CLOSED } State;

typedef struct {
    int fd, channel;
    State state;
    long newest;        /* index of its channel's newest event in this phase; -1 for none */
    uint64_t seen;      /* bitmap of the newest event and the 63 before it */
    char *rest;         /* an incomplete frame */
    size_t rest_length;
} Socket;

typedef struct {
    long left; /* sockets that have not received it */
    double published_at;
} Event;

typedef struct {
    long first, published, under_way, delivered, doubled, reordered;
    double begun, last_received;
    float *delays; /* seconds; NULL if not recorded */
    size_t delay_count, delay_room;
} Phase;

static Socket *sockets;
static Event ring[RING];
static Phase phase;
static int socket_count, channel_count, joined, closed, port, control, poller;
static char protocol, buffer[BUFFER];
static char requests[BUFFER];
static size_t requests_length;
static long next_number;

static void fail(const char *format, ...) {
    va_list words;
    va_start(words, format);
    vfprintf(stderr, format, words);
    fputc('\n', stderr);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static double cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int connect_to(int to) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(to), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
        fail("No connection to port %d: %s.", to, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static void send_all(int fd, const char *data, size_t length) {
    while (length) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent < 0)
            fail("send failed: %s", strerror(errno));
        data += sent;
        length -= sent;
    }
}

/* -- Client frames */

static void say(Socket *socket, int opcode, const char *payload, size_t length) {
    char frame[256] = {(char)(0x80 | opcode), (char)(0x80 | length)}; /* masked with zeros */
    if (length > 125)
        fail("A client frame has at most 125 bytes.");
    memcpy(frame + 6, payload, length);
    send_all(socket->fd, frame, 6 + length);
}

__attribute__((format(printf, 2, 3))) static void say_text(Socket *socket, const char *format, ...) {
    char text[126];
    va_list words;
    va_start(words, format);
    size_t length = vsnprintf(text, sizeof text, format, words);
    va_end(words);
    say(socket, TEXT, text, length);
}

static void open_socket(Socket *socket, int channel) {
    char request[512], path[64] = "/app/tikm?protocol=7";
    *socket = (Socket){.fd = connect_to(port), .channel = channel, .newest = -1};
    if (protocol == 's')
        strcpy(path, "/socket.io/?EIO=4&transport=websocket");
    else if (protocol == 'p')
        sprintf(path, "/?channel=%d", channel);
    size_t length = snprintf(
        request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        path, port, port);
    send_all(socket->fd, request, length);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = socket};
    epoll_ctl(poller, EPOLL_CTL_ADD, socket->fd, &event);
}

static void mark_joined(Socket *socket) {
    if (socket->state != READY)
        joined++;
    socket->state = READY;
}

/* -- Server frames */

static int starts_with(const char *payload, size_t length, const char *beginning) {
    return length >= strlen(beginning) && !memcmp(payload, beginning, strlen(beginning));
}

static int contains(const char *payload, size_t length, const char *words) {
    return memmem(payload, length, words, strlen(words)) != NULL;
}

static void converse_pusher(Socket *socket, const char *payload, size_t length) {
    if (contains(payload, length, "pusher:connection_established"))
        say_text(socket, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"fanout-%d\"}}", socket->channel);
    else if (contains(payload, length, "subscription_succeeded"))
        mark_joined(socket);
    else if (contains(payload, length, "pusher:ping"))
        say_text(socket, "{\"event\":\"pusher:pong\",\"data\":{}}");
    else
        fail("unexpected message: %.*s", (int)length, payload);
}

/* Engine.IO 4: 0 opens, 2 pings. Socket.IO 5 inside its messages: 40 connects, 42 is an event. */
static void converse_socketio(Socket *socket, const char *payload, size_t length) {
    if (starts_with(payload, length, "0"))
        say_text(socket, "40");
    else if (starts_with(payload, length, "2"))
        say_text(socket, "3");
    else if (starts_with(payload, length, "40"))
        say_text(socket, "42[\"join\",\"%d\"]", socket->channel);
    else if (starts_with(payload, length, "42[\"joined\""))
        mark_joined(socket);
    else
        fail("unexpected message: %.*s", (int)length, payload);
}

static void converse(Socket *socket, const char *payload, size_t length) {
    if (protocol == 's')
        converse_socketio(socket, payload, length);
    else if (protocol == 'P')
        converse_pusher(socket, payload, length);
}

static long number_in(const char *payload, size_t length) {
    const char *end = payload + length, *mark = payload;
    while ((mark = memchr(mark, '#', end - mark)) && mark + DIGITS + 1 < end) {
        char *behind;
        long number = strtol(mark + 1, &behind, 10);
        if (behind == mark + 1 + DIGITS && *behind == '#')
            return number;
        mark++;
    }
    return -1;
}

static void keep_delay(float delay) {
    if (phase.delay_count == phase.delay_room) {
        phase.delay_room = phase.delay_room * 2;
        phase.delays = realloc(phase.delays, phase.delay_room * sizeof(float));
    }
    phase.delays[phase.delay_count++] = delay;
}

/* Return whether an event is new to a socket. Count a duplicate as doubled, and a late event as reordered. */
static int is_new(Socket *socket, long place) {
    long behind = socket->newest - place;
    if (behind < 0) {
        socket->seen = behind > -64 ? socket->seen << -behind : 0;
        socket->seen |= 1;
        socket->newest = place;
        return 1;
    }
    uint64_t bit = behind < 64 ? UINT64_C(1) << behind : 0;
    if (socket->seen & bit) {
        phase.doubled++;
        return 0;
    }
    socket->seen |= bit;
    phase.reordered++;
    return 1;
}

static void receive(Socket *socket, long number, double at) {
    if (number < phase.first) /* from an earlier phase, where it counted as lost */
        return;
    if (number >= next_number || number % channel_count != socket->channel)
        fail("Event %ld arrived on channel %d.", number, socket->channel);
    if (!is_new(socket, (number - phase.first) / channel_count))
        return;
    Event *event = &ring[number % RING];
    phase.delivered++;
    phase.last_received = at;
    if (phase.delays)
        keep_delay(at - event->published_at);
    if (!--event->left)
        phase.under_way--;
}

static void close_socket(Socket *socket) {
    close(socket->fd);
    socket->state = CLOSED;
    closed++;
}

static void take_frame(Socket *socket, int opcode, const char *payload, size_t length, double at) {
    if (opcode == PING)
        say(socket, PONG, payload, length);
    else if (opcode == CLOSE)
        close_socket(socket);
    else if (opcode == TEXT) {
        long number = number_in(payload, length);
        if (number < 0)
            converse(socket, payload, length);
        else
            receive(socket, number, at);
    }
}

/* Return the length of the first frame in `data`, 0 if incomplete. Server frames are not masked. */
static size_t frame_length(const unsigned char *data, size_t length, size_t *head) {
    if (length < 2)
        return 0;
    size_t size = data[1];
    *head = size == 126 ? 4 : 2;
    if (size > 126 || !(data[0] & 0x80))
        fail("Unsupported server frame: %02x %02x.", data[0], data[1]);
    if (length < *head)
        return 0;
    if (size == 126)
        size = data[2] << 8 | data[3];
    return *head + size <= length ? *head + size : 0;
}

/* Return the length of the handshake response in `data`, 0 if incomplete. */
static size_t take_handshake(Socket *socket, const char *data, size_t length) {
    const char *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    if (!starts_with(data, length, "HTTP/1.1 101"))
        fail("The server rejected the WebSocket: %.*s", (int)length, data);
    socket->state = JOINING;
    if (protocol == 'p')
        mark_joined(socket);
    return end + 4 - data;
}

static size_t take_frames(Socket *socket, const char *data, size_t length, double at) {
    size_t taken = 0, head, frame;
    if (socket->state == SHAKING && !(taken = take_handshake(socket, data, length)))
        return 0;
    while (socket->state != CLOSED && (frame = frame_length((unsigned char *)data + taken, length - taken, &head))) {
        const char *payload = data + taken + head;
        take_frame(socket, data[taken] & 0x0f, payload, frame - head, at);
        taken += frame;
    }
    return taken;
}

static void read_socket(Socket *socket) {
    memcpy(buffer, socket->rest, socket->rest_length);
    ssize_t length = recv(socket->fd, buffer + socket->rest_length, BUFFER - socket->rest_length, 0);
    if (length <= 0) {
        close_socket(socket);
        return;
    }
    size_t whole = socket->rest_length + length, taken = take_frames(socket, buffer, whole, now());
    socket->rest_length = whole - taken;
    if (socket->rest_length) {
        socket->rest = realloc(socket->rest, socket->rest_length);
        memcpy(socket->rest, buffer + taken, socket->rest_length);
    }
}

static void read_sockets(int milliseconds) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, milliseconds);
    for (int i = 0; i < count; i++)
        read_socket(events[i].data.ptr);
}

static void join_all(void) {
    double deadline = now() + JOIN_WITHIN;
    for (int opened = 0; joined < socket_count;) {
        while (opened < socket_count && opened - joined < AT_ONCE) {
            open_socket(&sockets[opened], opened % channel_count);
            opened++;
        }
        read_sockets(100);
        if (now() > deadline || closed)
            fail("%d of %d sockets have joined, %d were closed.", joined, socket_count, closed);
    }
}

/* -- Phases */

static long subscribers(int channel) {
    return socket_count / channel_count + (channel < socket_count % channel_count);
}

static void request_event(void) {
    ring[next_number % RING] = (Event){subscribers(next_number % channel_count), now()};
    requests_length += sprintf(requests + requests_length, "%0*ld %ld\n", DIGITS, next_number, next_number % channel_count);
    next_number++;
    phase.published++;
    phase.under_way++;
}

static void send_requests(long window, long most) {
    while (phase.under_way < window && phase.published < most && requests_length < BUFFER - 64)
        request_event();
    send_all(control, requests, requests_length);
    requests_length = 0;
}

static void begin(int wants_delays) {
    next_number += (channel_count - next_number % channel_count) % channel_count;
    phase = (Phase){.first = next_number, .begun = now(), .delay_room = 1 << 16};
    phase.last_received = phase.begun;
    if (wants_delays)
        phase.delays = malloc(phase.delay_room * sizeof(float));
    for (int i = 0; i < socket_count; i++) {
        sockets[i].newest = -1;
        sockets[i].seen = 0;
    }
}

/* Request events: at most `window` in flight, `rate` per second, `most` in total. */
static void run(long window, double rate, long most, double seconds, double settle) {
    double end = phase.begun + seconds, time;
    while ((time = now()) < end + settle && (time < end ? phase.published < most || phase.under_way : phase.under_way)) {
        double due = (time - phase.begun) * rate + 1, wait = 0.1;
        if (time < end) {
            send_requests(window, rate ? (long)due : most);
            if (rate && (phase.published - due + 1) / rate < wait)
                wait = (phase.published - due + 1) / rate;
        }
        read_sockets((int)(wait * 1000));
    }
}

static long expected(void) {
    long sum = 0;
    for (long number = phase.first; number < next_number; number++)
        sum += subscribers(number % channel_count);
    return sum;
}

static int compare(const void *one, const void *other) {
    float difference = *(const float *)one - *(const float *)other;
    return (difference > 0) - (difference < 0);
}

static double quantile(double part) {
    return phase.delay_count ? 1000 * phase.delays[(size_t)(part * (phase.delay_count - 1))] : -1;
}

static void report(double cpu_before) {
    double used = cpu() - cpu_before;
    if (phase.delays)
        qsort(phase.delays, phase.delay_count, sizeof(float), compare);
    printf("{\"published\": %ld, \"delivered\": %ld, \"lost\": %ld, \"doubled\": %ld, \"reordered\": %ld, \"closed\": %d, "
           "\"seconds\": %.6f, \"cpu\": %.6f, \"p50\": %.3f, \"p99\": %.3f}\n",
           phase.published, phase.delivered, expected() - phase.delivered, phase.doubled, phase.reordered, closed,
           phase.last_received - phase.begun, used, quantile(0.5), quantile(0.99));
    fflush(stdout);
    free(phase.delays);
}

static void run_phase(const char *line) {
    long number;
    double rate, seconds, used = cpu();
    begin(line[0] == 'r');
    if (sscanf(line, "window %ld %lf", &number, &seconds) == 2)
        run(number, 0, EVER, seconds, SETTLE);
    else if (sscanf(line, "rate %lf %lf", &rate, &seconds) == 2)
        run(EVER, rate, EVER, seconds, SETTLE);
    else if (sscanf(line, "burst %ld", &number) == 1)
        run(number, 0, number, SETTLE, 0);
    else
        fail("Unknown phase: %s", line);
    report(used);
}

/* Some servers confirm a join too early: publish events until all sockets receive them. */
static void warm(void) {
    for (int tries = 0; tries < 10; tries++) {
        begin(0);
        run(channel_count, 0, channel_count, SETTLE, 0);
        if (!phase.under_way)
            return;
    }
    fail("Not all sockets receive events.");
}

int main(int count, char **words) {
    char line[256];
    if (count != 6)
        fail("load PORT CONTROL_PORT SOCKETS CHANNELS plain|pusher|socketio");
    port = atoi(words[1]);
    socket_count = atoi(words[3]);
    channel_count = atoi(words[4]);
    protocol = !strcmp(words[5], "pusher") ? 'P' : words[5][0];
    poller = epoll_create1(0);
    control = connect_to(atoi(words[2]));
    sockets = calloc(socket_count, sizeof(Socket));
    join_all();
    warm();
    puts("ready");
    fflush(stdout);
    /* Pauses between phases are short: pings wait for the next phase. */
    while (fgets(line, sizeof line, stdin))
        run_phase(line);
    return 0;
}
