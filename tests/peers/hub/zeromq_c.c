/* The bus as a C program over the system's libzmq sees it, in both roles: it publishes, subscribes, asks and answers. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static const int patience_ms = 20000;

static void *connected(void *context, int kind) {
    void *made = zmq_socket(context, kind);
    assert(made);
    zmq_setsockopt(made, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    assert(zmq_connect(made, getenv("BUS")) == 0);
    return made;
}

static void say(void *socket, const char *text, int more) {
    assert(zmq_send(socket, text, strlen(text), more ? ZMQ_SNDMORE : 0) == (int) strlen(text));
}

static void expect(void *socket, const char *text) {
    char buffer[256];
    int size = zmq_recv(socket, buffer, sizeof buffer, 0);
    if (size != (int) strlen(text) || memcmp(buffer, text, (size_t) size) != 0) {
        fprintf(stderr, "wanted %s, got %d bytes: %.*s\n", text, size, size > 0 ? size : 0, buffer);
        exit(1);
    }
}

int main(void) {
    void *context = zmq_ctx_new();
    void *sub = connected(context, ZMQ_SUB), *push = connected(context, ZMQ_PUSH);
    void *req = connected(context, ZMQ_REQ), *worker = connected(context, ZMQ_DEALER);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "c.", 2);
    say(req, "SYNC", 1), say(req, "c.", 1), say(req, "20000", 0);
    expect(req, "OK");
    for (int number = 0; number < 1000; number++) {
        char text[16];
        snprintf(text, sizeof text, "%d", number);
        say(push, "c.topic", 1), say(push, "", 1), say(push, text, 0);
        expect(sub, "c.topic"), expect(sub, ""), expect(sub, text);
    }
    say(worker, "SERVE", 1), say(worker, "echo", 0);
    expect(worker, "OK");
    say(req, "CALL", 1), say(req, "echo", 1), say(req, "5000", 1), say(req, "body", 0);
    char number[32];
    expect(worker, "CALL");
    int size = zmq_recv(worker, number, sizeof number - 1, 0);
    assert(size > 0 && size < (int) sizeof number);
    number[size] = 0;
    expect(worker, "echo"), expect(worker, "body"), expect(worker, "default");
    say(worker, "REPLY", 1), say(worker, number, 1), say(worker, "answer", 0);
    expect(req, "OK"), expect(req, "answer");
    zmq_close(sub), zmq_close(push), zmq_close(req), zmq_close(worker);
    zmq_ctx_term(context);
    puts("passed");
    return 0;
}
