// socket.io-client in both transports against endpoints of a gateway, with worker.py behind them.

import assert from "node:assert";
import { peer, run } from "../hub/cases.mjs";

const { io: connect } = await peer("socket.io-client");
const { createClient } = await peer("redis");
const URL = process.env.GATEWAY;
const hub = createClient({ url: process.env.REDIS_URL });
await hub.connect();
while ((await hub.get("realtime-worker")) !== "ready") await new Promise((done) => setTimeout(done, 20));

const ways = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };

function open(way, options = {}, path = "/socket.io/", namespace = "/") {
    return connect(URL + namespace, { path, transports: ways[way], forceNew: true, reconnection: false, ...options });
}

const once = (socket, event) =>
    new Promise((done, fail) => {
        socket.once(event, (...args) => done(args.length > 1 ? args : args[0]));
        if (event !== "connect_error") socket.once("connect_error", fail);
    });

// Reads what the worker noted, until one fits.
async function noted(list, fits) {
    for (;;) {
        const found = await hub.lPop(list);
        if (found === null) await new Promise((done) => setTimeout(done, 10));
        else if (fits(JSON.parse(found))) return JSON.parse(found);
    }
}

const cases = {};
for (const way of Object.keys(ways)) {
    cases[`events and answers by ${way}`] = async () => {
        const socket = open(way, { auth: { token: "123" } });
        assert.deepEqual(await once(socket, "auth"), { token: "123" });
        if (way === "upgrade") {
            while (socket.io.engine.transport.name !== "websocket") await new Promise((done) => setTimeout(done, 10));
        }
        socket.emit("message", 1, "2", { 3: [true, null] }, "gr\u00fc\u00df \u{1f40e}");
        assert.deepEqual(await once(socket, "message-back"), [1, "2", { 3: [true, null] }, "gr\u00fc\u00df \u{1f40e}"]);
        assert.deepEqual(await socket.timeout(5000).emitWithAck("anything", 7), 7);
        const bytes = Buffer.from([0, 1, 255, 10]);
        socket.emit("message", { file: bytes }, Buffer.alloc(70000, 7));
        const [one, two] = await once(socket, "message-back");
        assert.deepEqual(Buffer.from(one.file), bytes);
        assert.deepEqual(Buffer.from(two), Buffer.alloc(70000, 7));
        assert.deepEqual(Buffer.from(await socket.timeout(5000).emitWithAck("anything", bytes)), bytes);
        for (let i = 0; i < 200; i++) socket.emit("message", i);
        const seen = [];
        await new Promise((done) => socket.on("message-back", (i) => seen.push(i) === 200 && done()));
        assert.deepEqual(seen, [...Array(200).keys()]);
        const id = socket.id;
        socket.disconnect();
        const gone = await noted("live.disconnect", (letter) => letter.sid === id);
        assert.equal(gone.reason, "client namespace disconnect");
    };
    cases[`rooms by ${way}`] = async () => {
        const [a, b, c] = await Promise.all([1, 2, 3].map(async () => {
            const socket = open(way);
            socket.heard = [];
            socket.on("news", (...args) => socket.heard.push(args[0]));
            await once(socket, "connect");
            return socket;
        }));
        for (const socket of [a, b]) {
            socket.emit("join", ["room"]);
            await once(socket, "joined");
        }
        b.emit("join", "other");
        await once(b, "joined");
        const shout = (letter) => a.emit("shout", { event: "news", ...letter });
        shout({ args: ["all"] });
        shout({ args: ["room"], room: "room" });
        shout({ args: ["but b"], room: "room", except: "other" });
        shout({ args: ["both"], rooms: ["room", "other"] });
        shout({ args: ["b"], sid: b.id });
        shout({ args: ["but a"], except: [a.id] });
        shout({ args: ["none"], room: "nobody" });
        shout({ args: ["end"], volatile: false });
        while ([a, b, c].some((socket) => socket.heard.at(-1) !== "end")) await new Promise((done) => setTimeout(done, 10));
        assert.deepEqual(a.heard, ["all", "room", "but b", "both", "end"]);
        assert.deepEqual(b.heard, ["all", "room", "both", "b", "but a", "end"]);
        assert.deepEqual(c.heard, ["all", "but a", "end"]);
        b.emit("leave", "room");
        await once(b, "left");
        shout({ args: ["room again"], room: "room" });
        shout({ args: ["end"] });
        while ([a, b, c].some((socket) => socket.heard.filter((news) => news === "end").length < 2)) await new Promise((done) => setTimeout(done, 10));
        assert.equal(a.heard.at(-2), "room again");
        assert.equal(b.heard.at(-2), "end");
        for (const socket of [a, b, c]) socket.disconnect();
    };
    cases[`answers of clients by ${way}`] = async () => {
        const socket = open(way);
        await once(socket, "connect");
        const { id } = socket;
        socket.on("question", (_, answer) => answer("yes", Buffer.from("!")));
        socket.emit("ask me", 5000);
        const said = await noted("live.ack", (letter) => letter.sid === id);
        assert.deepEqual([said.ack, said.args[0], said.attachments], ["word", "yes", ["IQ=="]]);
        socket.off("question");
        socket.emit("ask me", 50);
        const late = await noted("live.ack", (letter) => letter.sid === id);
        assert.equal(late.error, "timed out");
        socket.disconnect();
    };
    cases[`a worker lets clients in, by ${way}`] = async () => {
        const good = open(way, { auth: { word: "please" } }, "/asked/");
        await once(good, "connect");
        const bad = open(way, { auth: {} }, "/asked/");
        const error = await once(bad, "connect_error");
        assert.deepEqual([error.message, error.data], ["say please", { code: 7 }]);
        bad.disconnect();
        const unheard = open(way, { auth: { word: "silence" } }, "/asked/");
        assert.match((await once(unheard, "connect_error")).message, /nobody answered/);
        unheard.disconnect();
        const elsewhere = open(way, {}, "/socket.io/", "/nowhere");
        assert.equal((await once(elsewhere, "connect_error")).message, "Invalid namespace");
        elsewhere.disconnect();
        const custom = open(way, {}, "/socket.io/", "/custom");
        custom.emit("message", "here");
        assert.equal(await once(custom, "message-back"), "here");
        custom.disconnect();
        good.disconnect();
    };
    cases[`a worker lets clients go, by ${way}`] = async () => {
        for (const [whole, reason] of [[false, "io server disconnect"], [true, /io server disconnect|transport close/]]) {
            const socket = open(way);
            await once(socket, "connect");
            socket.emit("let me go", whole);
            assert.match(await once(socket, "disconnect").then((found) => [found].flat()[0]), new RegExp(reason));
            socket.disconnect();
        }
    };
}
await run(cases);
