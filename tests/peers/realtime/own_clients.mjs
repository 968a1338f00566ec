// Clients of two Socket.IO servers behind gateways: what one server is told to say reaches the clients of both.

import assert from "node:assert";
import { peer, run } from "../hub/cases.mjs";

const { io: connect } = await peer("socket.io-client");
const clients = [];

// By WebSocket, since requests of polling would come to either server.
async function join() {
    const socket = connect(process.env.GATEWAY, { transports: ["websocket"], forceNew: true });
    socket.heard = [];
    socket.on("said", (text) => socket.heard.push(text));
    await new Promise((done, fail) => socket.on("connect", done) && socket.on("connect_error", fail));
    socket.server = await socket.emitWithAck("who");
    clients.push(socket);
}

const servers = () => new Set(clients.map((socket) => socket.server));

async function until(what, isSo) {
    for (const start = Date.now(); Date.now() - start < 10_000; ) {
        if (await isSo()) return;
        await new Promise((go) => setTimeout(go, 10));
    }
    throw new Error(`waited for ${what}`);
}

await run({
    "both servers have clients": async () => {
        while (servers().size < 2 || clients.length < 6) await join();
    },
    "an emit in one reaches the clients of the other": async () => {
        for (const [name, socket] of clients.entries()) {
            // Their managers subscribe in the background.
            await until(`all to hear ${name}`, async () => {
                socket.emit("say", `from ${name}`);
                await new Promise((go) => setTimeout(go, 50));
                return clients.every((one) => one.heard.includes(`from ${name}`));
            });
        }
    },
    "a room has members on both": async () => {
        const [one] = clients;
        const other = clients.find((socket) => socket.server !== one.server);
        const outside = clients.filter((socket) => socket !== one && socket !== other);
        for (const socket of [one, other]) await socket.emitWithAck("enter", "room");
        one.emit("say", "to the room", "room");
        await until("the room", () => other.heard.includes("to the room") && one.heard.includes("to the room"));
        one.emit("say", "the end");
        await until("the end", () => clients.every((socket) => socket.heard.includes("the end")));
        for (const socket of outside) assert.ok(!socket.heard.includes("to the room"));
    },
    "the end": async () => clients.forEach((socket) => socket.disconnect()),
});
