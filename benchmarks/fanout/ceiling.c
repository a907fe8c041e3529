/* The limit of the machine: a WebSocket server that can only broadcast.
 *
 *   ceiling PORT CONTROL_PORT
 *
 * Sockets connect to PORT and name a channel (`/?channel=3`). Each line on CONTROL_PORT, a number and a channel, is an
 * event. Events of a channel that arrive in one read are joined: one send() per socket.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAYLOAD = 650, FRAME = PAYLOAD + 4, CHANNELS = 4096, EVENTS = 1024, FILES = 1 << 16, DIGITS = 8 };

typedef struct {
    int *fds, count, is_pending;
    char *frames;
    size_t length, room;
} Channel;

static Channel channels[CHANNELS];
static int pending[CHANNELS], pending_count, poller, sockets_port, control_port, control = -1;
static char has_joined[FILES];

static int listen_on(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 2048))
        exit(1);
    return fd;
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void accept_connection(int listener) {
    int fd = accept(listener, NULL, NULL), yes = 1;
    if (fd < 0 || fd >= FILES)
        exit(1);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    has_joined[fd] = 0;
    if (listener == control_port)
        control = fd;
    watch(fd);
}

static void send_all(int fd, const char *data, size_t length) {
    while (length) {
        ssize_t sent = send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
        else if (sent < 0)
            return;
        else
            data += sent, length -= sent;
    }
}

/* The accept key is constant: the load generator does not check it. */
static void join(int fd, const char *request) {
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    const char *name = strstr(request, "channel=");
    int number = name ? atoi(name + 8) : 0;
    if (number < 0 || number >= CHANNELS)
        exit(1);
    Channel *channel = &channels[number];
    channel->fds = realloc(channel->fds, (channel->count + 1) * sizeof(int));
    channel->fds[channel->count++] = fd;
    has_joined[fd] = 1;
    send_all(fd, answer, sizeof answer - 1);
}

static void add_frame(int number, const char *digits) {
    Channel *channel = &channels[number];
    if (channel->length + FRAME > channel->room) {
        channel->room = 2 * (channel->room + FRAME);
        channel->frames = realloc(channel->frames, channel->room);
    }
    char *frame = channel->frames + channel->length;
    memcpy(frame, (char[]){(char)0x81, 126, PAYLOAD >> 8, (char)(PAYLOAD & 0xff)}, 4);
    memset(frame + 4, 'x', PAYLOAD);
    frame[4] = frame[5 + DIGITS] = '#';
    memcpy(frame + 5, digits, DIGITS);
    channel->length += FRAME;
    if (!channel->is_pending)
        pending[pending_count++] = number;
    channel->is_pending = 1;
}

static void broadcast(void) {
    for (int i = 0; i < pending_count; i++) {
        Channel *channel = &channels[pending[i]];
        for (int j = 0; j < channel->count; j++)
            send_all(channel->fds[j], channel->frames, channel->length);
        channel->length = channel->is_pending = 0;
    }
    pending_count = 0;
}

static void read_requests(char *data, size_t length) {
    static char known[1 << 17];
    static size_t known_length;
    memcpy(known + known_length, data, length);
    known_length += length;
    char *line = known, *end;
    while ((end = memchr(line, '\n', known + known_length - line))) {
        add_frame(atoi(line + DIGITS + 1), line);
        line = end + 1;
    }
    known_length -= line - known;
    memmove(known, line, known_length);
    broadcast();
}

static void read_from(int fd) {
    static char data[1 << 16];
    ssize_t length = recv(fd, data, sizeof data - 1, 0);
    if (length <= 0) {
        close(fd);
        return;
    }
    data[length] = 0;
    if (fd == control)
        read_requests(data, length);
    else if (!has_joined[fd])
        join(fd, data);
}

int main(int count, char **words) {
    struct epoll_event events[EVENTS];
    if (count != 3)
        return 1;
    poller = epoll_create1(0);
    watch(sockets_port = listen_on(atoi(words[1])));
    watch(control_port = listen_on(atoi(words[2])));
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == sockets_port || fd == control_port)
                accept_connection(fd);
            else
                read_from(fd);
        }
    }
}
