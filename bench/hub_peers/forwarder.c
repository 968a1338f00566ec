/* The forwarder a user of libzmq writes: messages come in on one socket and go out to all subscribers on another.
 *
 *   forwarder pull-pub  HWM   PULL to PUB, a loop of receive and send
 *   forwarder xsub-xpub HWM   XSUB to XPUB, libzmq's own zmq_proxy
 *
 * HWM is the high-water mark of both sockets in messages; libzmq's default is 1000. Both listen on free ports of
 * loopback; the two endpoints are printed on one line. Ends with the process that started it. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <zmq.h>

static void fail(const char *attempt)
{
    fprintf(stderr, "forwarder: cannot %s: %s\n", attempt, zmq_strerror(zmq_errno()));
    exit(1);
}

static void *listening(void *context, int type, int high_water_mark, char *endpoint, size_t endpoint_size)
{
    void *socket = zmq_socket(context, type);
    if (!socket)
        fail("create a socket");
    if (zmq_setsockopt(socket, ZMQ_SNDHWM, &high_water_mark, sizeof high_water_mark) ||
        zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water_mark, sizeof high_water_mark))
        fail("set the high-water mark");
    if (zmq_bind(socket, "tcp://127.0.0.1:*") || zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &endpoint_size))
        fail("listen");
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
    int pulls = count == 3 && !strcmp(arguments[1], "pull-pub");
    int high_water_mark = count == 3 ? atoi(arguments[2]) : 0;
    char in[128], out[128];

    if (high_water_mark < 1 || (!pulls && strcmp(arguments[1], "xsub-xpub"))) {
        fprintf(stderr, "usage: forwarder pull-pub|xsub-xpub HWM\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    void *context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 8192);
    void *from = listening(context, pulls ? ZMQ_PULL : ZMQ_XSUB, high_water_mark, in, sizeof in);
    void *to = listening(context, pulls ? ZMQ_PUB : ZMQ_XPUB, high_water_mark, out, sizeof out);
    printf("%s %s\n", in, out);
    fflush(stdout);
    if (pulls)
        forward(from, to);
    zmq_proxy(from, to, NULL);
    fail("forward");
}
