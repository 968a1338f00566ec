// The adapters of socket.io over the hub: two servers that know of each other through it alone. The one of streams does not
// work with ioredis 6, over Redis neither.

import assert from "node:assert";
import { createServer } from "node:http";
import { peer, run } from "./cases.mjs";

const { Server } = await peer("socket.io");
const { io: connect } = await peer("socket.io-client");
const { createAdapter, createShardedAdapter } = await peer("@socket.io/redis-adapter");
const { createAdapter: createStreamsAdapter } = await peer("@socket.io/redis-streams-adapter");
const { createClient } = await peer("redis");
const { Redis } = await peer("ioredis");
const URL = process.env.REDIS_URL;

async function nodeRedis() {
    const client = createClient({ url: URL });
    client.on("error", () => {});
    await client.connect();
    return client;
}

// The adapters call it by a name that ioredis 6 has no more.
function ioredis() {
    const client = new Redis(URL);
    client.send_command ??= (name, words, done) => client.call(name, ...words).then((reply) => done(null, reply), done);
    return client;
}

// Each has names of its own in the hub.
const adapters = {
    "classic, node-redis": async () => createAdapter(await nodeRedis(), await nodeRedis(), { key: "classic-a" }),
    "classic, ioredis": async () => createAdapter(ioredis(), ioredis(), { key: "classic-b" }),
    "sharded, node-redis": async () => createShardedAdapter(await nodeRedis(), await nodeRedis(), { channelPrefix: "sharded-a" }),
    "sharded, ioredis": async () => createShardedAdapter(ioredis(), ioredis(), { channelPrefix: "sharded-b" }),
    "streams, node-redis": async () => createStreamsAdapter(await nodeRedis(), { streamName: "streams-a" }),
};

async function server(adapter) {
    const http = createServer();
    const io = new Server(http, { adapter: await adapter() });
    io.on("connection", (socket) => socket.on("enter", async (room, done) => done(await socket.join(room))));
    await new Promise((done) => http.listen(0, "127.0.0.1", done));
    const client = connect(`http://127.0.0.1:${http.address().port}`, { transports: ["websocket"], reconnection: false });
    const heard = [];
    client.on("news", (text) => heard.push(text));
    await new Promise((done) => client.on("connect", done));
    return { io, client, heard };
}

async function until(what, isSo) {
    for (const start = Date.now(); Date.now() - start < 10_000; ) {
        if (await isSo()) return;
        await new Promise((go) => setTimeout(go, 10));
    }
    throw new Error(`waited for ${what}`);
}

async function check(adapter) {
    const [a, b] = [await server(adapter), await server(adapter)];
    await until("the servers to know each other", async () => {
        const counts = await Promise.all([a, b].map((one) => one.io.of("/").adapter.serverCount()));
        return counts.every((count) => count === 2);
    });
    await a.client.emitWithAck("enter", "room");
    await b.client.emitWithAck("enter", "room");
    for (let number = 0; number < 50; number++) a.io.emit("news", number);
    await until("all", () => a.heard.length === 50 && b.heard.length === 50);
    assert.deepEqual(b.heard, Array.from({ length: 50 }, (_, index) => index));
    await until("the room", async () => (await a.io.in("room").fetchSockets()).length === 2);
    a.io.to("room").emit("news", "room");
    b.io.to("room").except(b.client.id).emit("news", "others");
    await until("the room's", () => a.heard.includes("others") && b.heard.includes("room"));
    assert.ok(!b.heard.includes("others"));
    b.io.on("question", (text, answer) => answer(`${text}!`));
    assert.deepEqual(await a.io.serverSideEmitWithAck("question", "so"), ["so!"]);
    a.io.in("room").disconnectSockets();
    await until("the end", () => !a.client.connected && !b.client.connected);
}

await run(Object.fromEntries(Object.entries(adapters).map(([name, adapter]) => [name, () => check(adapter)])));
