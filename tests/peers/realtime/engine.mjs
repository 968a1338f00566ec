// engine.io-client, alone, in both transports and from one to the other: packets of Socket.IO are told and read by hand.

import assert from "node:assert";
import { createRequire } from "node:module";
import { peer, run } from "../hub/cases.mjs";

const { createClient } = await peer("redis");
// It comes with socket.io-client, in the version that one wants.
const require = createRequire(createRequire(`${process.env.HUB_PEERS}/package.json`).resolve("socket.io-client"));
const { Socket } = require("engine.io-client");
const hub = createClient({ url: process.env.REDIS_URL });
await hub.connect();
while ((await hub.get("realtime-worker")) !== "ready") await new Promise((done) => setTimeout(done, 20));

// A connection with what came on it, in order.
function open(transports) {
    const socket = new Socket(process.env.GATEWAY, { path: "/socket.io/", transports });
    const [came, wanted] = [[], []];
    socket.on("message", (packet) => (wanted.length ? wanted.shift()(packet) : came.push(packet)));
    const next = () => new Promise((done) => (came.length ? done(came.shift()) : wanted.push(done)));
    const opened = new Promise((done, fail) => socket.on("open", done) && socket.on("error", fail));
    return { socket, next, opened };
}

const cases = {};
for (const [name, transports] of Object.entries({
    polling: ["polling"],
    websocket: ["websocket"],
    upgrade: ["polling", "websocket"],
})) {
    cases[`packets by ${name}`] = async () => {
        const { socket, next, opened } = open(transports);
        const upgraded = new Promise((done) => socket.on("upgrade", done));
        await opened;
        if (name === "upgrade") assert.equal((await upgraded).name, "websocket");
        assert.equal(socket.transport.name, transports.at(-1));
        socket.send('0{"token":"x"}');
        assert.match(await next(), /^0\{"sid":"[^"]+"\}$/);
        assert.equal(await next(), '2["auth",{"token":"x"}]');
        for (let i = 0; i < 100; i++) socket.send(`2["message",${i}]`);
        for (let i = 0; i < 100; i++) assert.equal(await next(), `2["message-back",${i}]`);
        socket.send('51-["message",{"_placeholder":true,"num":0}]');
        socket.send(Buffer.from([0, 1, 255]));
        assert.equal(await next(), '51-["message-back",{"_placeholder":true,"num":0}]');
        assert.deepEqual(Buffer.from(await next()), Buffer.from([0, 1, 255]));
        // Three pings come and are answered meanwhile.
        let pings = 0;
        await new Promise((done) => socket.on("ping", () => ++pings === 3 && done()));
        const closed = new Promise((done) => socket.on("close", done));
        socket.send("1");
        socket.close();
        assert.equal(await closed, "forced close");
    };
    cases[`many at once by ${name}`] = async () => {
        const all = Array.from({ length: 30 }, () => open(transports));
        await Promise.all(all.map(({ opened }) => opened));
        const names = await Promise.all(
            all.map(async ({ socket, next }) => {
                socket.send("0");
                return JSON.parse((await next()).slice(1)).sid;
            }),
        );
        assert.equal(new Set(names).size, all.length);
        for (const { socket } of all) socket.close();
    };
}
await run(cases);
