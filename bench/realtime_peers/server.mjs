// socket.io's own server: GET /emit sends to all. Prints its port when it serves.
//
// PROCESSES=N makes N of it behind one port, by node's own cluster, and REDIS_URL says where its adapter has them meet.
// Clients are WebSockets from the start, which need no stickiness.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.PEERS}/package.json`);
const { Server } = require("socket.io");
const count = Number(process.env.PROCESSES ?? 1);

async function adapter() {
    if (!process.env.REDIS_URL) return undefined;
    const { createAdapter } = require("@socket.io/redis-adapter");
    const { createClient } = require("redis");
    const clients = [0, 1].map(() => createClient({ url: process.env.REDIS_URL }));
    await Promise.all(clients.map((client) => client.connect()));
    return createAdapter(...clients);
}

async function serve(listens) {
    let sent = 0;
    const http = createServer((_request, response) => {
        io.emit("news", String(sent++).padStart(40, "."));
        response.end("ok");
    });
    const io = new Server(http, { serveClient: false, adapter: await adapter() });
    http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => listens(http.address().port));
}

if (count > 1 && cluster.isPrimary) {
    const ports = [];
    for (let index = 0; index < count; index++) {
        cluster.fork().on("message", (port) => {
            ports.push(port);
            if (ports.length === count) console.log(port);
        });
    }
} else {
    await serve(cluster.isPrimary ? (port) => console.log(port) : (port) => process.send(port));
}
