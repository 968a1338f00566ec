// Requests over HTTP/2 without a pause, on a few connections, until standard input ends. A connection that is told to end
// is used no more, and another is made; whatever was asked for has to be answered. Prints what became of it.
//
// What is on its way out when such a connection is told to end may be refused by the client itself, unsent, or by the server,
// unprocessed (RFC 9113 8.7): it is asked for anew, as browsers do.

import { connect } from "node:http2";

const CONNECTIONS = 4;
const STREAMS = 8;
const told = { answered: 0, connections: 0, refused: 0, failures: [] };
let isOver = false;

// Nothing was asked yet on a connection that cannot be made, so that is no failure of a request.
function open() {
    return new Promise((done) => {
        const session = connect(process.env.GATEWAY, { rejectUnauthorized: false });
        session.on("error", () => done(null));
        session.on("goaway", () => (session.isToEnd = true));
        session.on("connect", () => done(session));
    });
}

function ask(session) {
    return new Promise((done, fail) => {
        const stream = session.request({ ":path": "/hello.txt", ":authority": "a.test" });
        let status = 0;
        let body = "";
        stream.setEncoding("utf8");
        stream.on("response", (head) => (status = head[":status"]));
        stream.on("data", (text) => (body += text));
        stream.on("error", fail);
        stream.on("close", () =>
            status === 200 && body === "hello, world" ? done() : fail(new Error(`${status} ${body}, ${stream.rstCode}`)),
        );
        stream.end();
    });
}

async function streams(session) {
    while (!isOver && !session.closed && !session.destroyed) {
        try {
            await ask(session);
            told.answered += 1;
        } catch (error) {
            const isRefused = error.code === "ERR_HTTP2_GOAWAY_SESSION" || error.message.includes("REFUSED_STREAM");
            if (isRefused && session.isToEnd) told.refused += 1;
            else told.failures.push(`${error.code} ${error.message}`);
            return;
        }
    }
}

async function connections() {
    while (!isOver) {
        const session = await open();
        if (session === null) continue;
        told.connections += 1;
        await Promise.all(Array.from({ length: STREAMS }, () => streams(session)));
        session.close();
    }
}

process.stdin.resume();
process.stdin.on("end", () => (isOver = true));
await Promise.all(Array.from({ length: CONNECTIONS }, connections));
console.log(JSON.stringify(told));
process.exit(0);
