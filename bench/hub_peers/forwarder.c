/* The forwarder a user of libzmq writes: messages come in on one socket and go out to all subscribers on another.
 *
 *   forwarder pull-pub  HWM   PULL to PUB, a loop of receive and send
 *   forwarder xsub-xpub HWM   XSUB to XPUB, libzmq's own zmq_proxy
 *   forwarder pull-pub HWM ADDRESS    PULL to PUB, the PUB on a free port of this address: the first of two servers
 *   forwarder sub-pub HWM ENDPOINT    SUB to PUB, the SUB connected to an endpoint: the second of two servers
 *
 * HWM is the high-water mark of both sockets in messages; libzmq's default is 1000. Where nothing else is said both
 * listen on free ports of loopback; the two endpoints are printed on one line. Ends with the process that started it. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <zmq.h>

enum { ENDPOINT_SIZE = 128 };

static void fail(const char *attempt)
{
    fprintf(stderr, "forwarder: cannot %s: %s\n", attempt, zmq_strerror(zmq_errno()));
    exit(1);
}

static void *created(void *context, int type, int high_water_mark)
{
    void *socket = zmq_socket(context, type);
    if (!socket)
        fail("create a socket");
    if (zmq_setsockopt(socket, ZMQ_SNDHWM, &high_water_mark, sizeof high_water_mark) ||
        zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water_mark, sizeof high_water_mark))
        fail("set the high-water mark");
    return socket;
}

static void *listening(void *context, int type, int high_water_mark, const char *address, char *endpoint)
{
    void *socket = created(context, type, high_water_mark);
    size_t endpoint_size = ENDPOINT_SIZE;
    char wanted[ENDPOINT_SIZE];

    snprintf(wanted, sizeof wanted, "tcp://%s:*", address);
    if (zmq_bind(socket, wanted) || zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &endpoint_size))
        fail("listen");
    return socket;
}

static void *connected(void *context, int high_water_mark, const char *endpoint)
{
    void *socket = created(context, ZMQ_SUB, high_water_mark);
    if (zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) || zmq_connect(socket, endpoint))
        fail("connect");
    return socket;
}

static void forward(void *from, void *to)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    for (;;) {
        if (zmq_msg_recv(&message, from, 0) < 0)
            fail("receive");
        if (zmq_msg_send(&message, to, zmq_msg_more(&message) ? ZMQ_SNDMORE : 0) < 0)
            fail("send");
    }
}

int main(int count, char **arguments)
{
    int few = count == 3, many = count == 4;
    const char *kind = count > 1 ? arguments[1] : "";
    int pulls = (few || many) && !strcmp(kind, "pull-pub");
    int subscribes = many && !strcmp(kind, "sub-pub");
    int high_water_mark = few || many ? atoi(arguments[2]) : 0;
    char in[ENDPOINT_SIZE] = "-", out[ENDPOINT_SIZE];

    if (high_water_mark < 1 || !(pulls || subscribes || (few && !strcmp(kind, "xsub-xpub")))) {
        fprintf(stderr, "usage: forwarder pull-pub|xsub-xpub HWM | pull-pub HWM ADDRESS | sub-pub HWM ENDPOINT\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    void *context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 8192);
    void *from = subscribes ? connected(context, high_water_mark, arguments[3])
                            : listening(context, pulls ? ZMQ_PULL : ZMQ_XSUB, high_water_mark, "127.0.0.1", in);
    const char *address = pulls && many ? arguments[3] : "127.0.0.1";
    void *to = listening(context, pulls || subscribes ? ZMQ_PUB : ZMQ_XPUB, high_water_mark, address, out);
    printf("%s %s\n", in, out);
    fflush(stdout);
    if (pulls || subscribes)
        forward(from, to);
    zmq_proxy(from, to, NULL);
    fail("forward");
}
