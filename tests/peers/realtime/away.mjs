// Clients in every transport stay connected while the hub is restarted and killed, and go on with what they do.

import assert from "node:assert";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { peer, run } from "../hub/cases.mjs";

const { io: connect } = await peer("socket.io-client");
const remuda = async (...words) => (await promisify(execFile)(process.env.REMUDA, words)).stdout;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const ways = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };
const clients = Object.values(ways).map((transports) => {
    const socket = connect(process.env.GATEWAY, { transports, forceNew: true, reconnection: false });
    socket.lost = [];
    socket.on("disconnect", (reason) => socket.lost.push(reason));
    return socket;
});

// The worker may be away too: it ends with the hub, and is started again.
async function answered(socket, text) {
    for (let tries = 0; tries < 150; tries++) {
        try {
            assert.equal(await socket.timeout(100).emitWithAck("anything", text), text);
            return;
        } catch (error) {
            if (error instanceof assert.AssertionError) throw error;
            await pause(10);
        }
    }
    throw new Error(`no answer to ${text}`);
}

async function pid() {
    const status = JSON.parse(await remuda("status", "--json"));
    return status.services.find((service) => service.name === "hub").workers[0]?.pid;
}

const all = (text) => Promise.all(clients.map((socket) => answered(socket, text)));

await run({
    "all are there": async () => {
        await Promise.all(clients.map((socket) => socket.connected || new Promise((done) => socket.on("connect", done))));
        await all("before");
        clients.ids = clients.map((socket) => socket.id);
    },
    "the hub is reloaded": async () => {
        await remuda("reload", "hub");
        await all("reloaded");
    },
    "the hub is restarted": async () => {
        await remuda("restart", "hub");
        await all("restarted");
    },
    "the hub is killed": async () => {
        const before = await pid();
        process.kill(before, "SIGKILL");
        for (let now = before; now === before || now === undefined; now = await pid()) await pause(20);
        await all("killed");
    },
    "nobody was disconnected": async () => {
        assert.deepEqual(clients.map((socket) => socket.lost), clients.map(() => []));
        assert.deepEqual(clients.map((socket) => socket.id), clients.ids);
        for (const socket of clients) socket.disconnect();
    },
});
