// What the protocols of Engine.IO 4 and Socket.IO 5 ask of a server, byte by byte: the cases of their own test suites,
// written anew. The endpoint pings each 300 ms and waits 200 ms for the answer; behind it is worker.py.

import assert from "node:assert";
import { peer, run } from "../hub/cases.mjs";

const { WebSocket } = await peer("ws");
const { createClient } = await peer("redis");
const URL = process.env.GATEWAY;
const WS = URL.replace("http", "ws");
const PATH = "/socket.io/?EIO=4";
const INTERVAL = 300;
const TIMEOUT = 200;
const hub = createClient({ url: process.env.REDIS_URL });
await hub.connect();
while ((await hub.get("realtime-worker")) !== "ready") await sleep(20);

function sleep(ms) {
    return new Promise((done) => setTimeout(done, ms));
}

const url = (sid, rest = "") => `${URL}${PATH}&transport=polling${sid ? `&sid=${sid}` : ""}${rest}`;
const get = async (sid, rest) => {
    const response = await fetch(url(sid, rest));
    return { status: response.status, text: await response.text(), type: response.headers.get("content-type") };
};
const post = async (sid, body) => {
    const response = await fetch(url(sid), { method: "POST", body });
    return { status: response.status, text: await response.text() };
};

async function begin() {
    const { text } = await get();
    return JSON.parse(text.slice(1)).sid;
}

// A WebSocket with what came on it, in order.
function socket(query = "&transport=websocket", path = PATH) {
    const ws = new WebSocket(`${WS}${path}${query}`);
    const came = [];
    const waiting = [];
    ws.onmessage = ({ data }) => (waiting.length ? waiting.shift()(data) : came.push(data));
    ws.next = () => (came.length ? Promise.resolve(came.shift()) : new Promise((done) => waiting.push(done)));
    ws.opened = new Promise((done, fail) => {
        ws.onopen = done;
        ws.onerror = fail;
    });
    ws.ended = new Promise((done) => (ws.onclose = done));
    return ws;
}

// What matters of what came: pings are answered on the way.
async function next(ws) {
    for (;;) {
        const data = await ws.next();
        if (data !== "2") return data;
        ws.send("3");
    }
}

async function joined(namespace = "", auth = "") {
    const ws = socket();
    await ws.next();
    ws.send(`40${namespace}${auth}`);
    assert.match(await next(ws), /^40.*"sid":"/);
    assert.match(await next(ws), /^42.*\["auth",/);
    return ws;
}

const status = (query, options) => fetch(`${URL}${query}`, options).then((response) => response.status);

await run({
    // Engine.IO: the handshake
    async "a session opens by polling"() {
        const { status, text, type } = await get();
        assert.equal(status, 200);
        assert.equal(type, "text/plain; charset=UTF-8");
        assert.equal(text[0], "0");
        const opening = JSON.parse(text.slice(1));
        assert.deepEqual(Object.keys(opening), ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"]);
        assert.deepEqual(opening.upgrades, ["websocket"]);
        assert.deepEqual([opening.pingInterval, opening.pingTimeout, opening.maxPayload], [INTERVAL, TIMEOUT, 1000000]);
    },
    async "requests without version, transport or known session are refused"() {
        for (const query of ["/socket.io/?transport=polling", "/socket.io/?EIO=abc&transport=polling", PATH, `${PATH}&transport=abc`]) {
            assert.equal(await status(query), 400, query);
        }
        for (const method of ["POST", "PUT"]) assert.equal(await status(`${PATH}&transport=polling`, { method }), 400, method);
        assert.equal((await get("zzz")).status, 400);
        assert.equal((await post("zzz", "4x")).status, 400);
    },
    async "a session opens by WebSocket"() {
        const ws = socket();
        const opening = JSON.parse((await ws.next()).slice(1));
        assert.deepEqual(opening.upgrades, []);
        ws.close();
        for (const query of ["&transport=abc", "", "&transport=websocket&sid=zzz"]) {
            await assert.rejects(socket(query).opened, query);
        }
        await assert.rejects(socket("?transport=websocket", "/socket.io/").opened);
        assert.equal(await status(`${PATH}&transport=websocket`), 400, "a GET that is no upgrade");
    },
    // Engine.IO: heartbeats
    async "pings come and are answered, by polling"() {
        const sid = await begin();
        await post(sid, "40");
        let pings = 0;
        while (pings < 3) {
            const { status, text } = await get(sid);
            assert.equal(status, 200);
            if (text.split("\x1e").includes("2")) {
                pings++;
                assert.deepEqual(await post(sid, "3"), { status: 200, text: "ok" });
            }
        }
    },
    async "pings come and are answered, by WebSocket"() {
        const ws = socket();
        await ws.next();
        for (let i = 0; i < 3; i++) {
            assert.equal(await ws.next(), "2");
            ws.send("3");
        }
        ws.close();
    },
    async "who does not answer a ping is gone"() {
        const sid = await begin();
        const ws = socket();
        await ws.next();
        await ws.ended;
        await sleep(INTERVAL + TIMEOUT);
        assert.equal((await get(sid)).status, 400);
    },
    // Engine.IO: the end
    async "a session is closed by polling"() {
        const sid = await begin();
        const [polled] = await Promise.all([get(sid), sleep(30).then(() => post(sid, "1"))]);
        assert.deepEqual([polled.status, polled.text], [200, "6"]);
        assert.equal((await get(sid)).status, 400);
    },
    async "a session is closed by WebSocket"() {
        const ws = socket();
        await ws.next();
        ws.send("1");
        await ws.ended;
    },
    async "a second GET ends the session, and the first is told"() {
        const sid = await begin();
        const [one, two] = await Promise.all([get(sid), sleep(30).then(() => get(sid, "&t=burst"))]);
        assert.deepEqual([one.status, one.text], [200, "1"]);
        assert.equal(two.status, 400);
        assert.equal((await get(sid)).status, 400);
    },
    async "what is no packet ends the session"() {
        for (const body of ["abc", "", "40\x1eabc", "4", "b&", "2", "0{}", "6"]) {
            const sid = await begin();
            const { status } = await post(sid, body);
            assert.ok(["4", "2", "0{}", "6"].includes(body) || status === 400, body);
            assert.equal((await get(sid)).status, 400, body);
        }
        for (const text of ["abc", "", "4", "2", "4\x1e4"]) {
            const ws = socket();
            await ws.next();
            ws.send(text);
            await ws.ended;
        }
    },
    async "a body, or a message, over the limit ends the session"() {
        const sid = await begin();
        assert.equal((await post(sid, `4${"x".repeat(1000001)}`)).status, 413);
        assert.equal((await get(sid)).status, 400);
        const ws = socket();
        await ws.next();
        ws.send(`4${"x".repeat(1000001)}`);
        assert.equal((await ws.ended).code, 1009);
    },
    // Engine.IO: changing over
    async "a session changes from polling to a WebSocket"() {
        const sid = await begin();
        const polled = get(sid);
        const ws = socket(`&transport=websocket&sid=${sid}`);
        await ws.opened;
        ws.send("2probe");
        assert.equal(await ws.next(), "3probe");
        assert.deepEqual([(await polled).status, (await polled).text], [200, "6"]);
        ws.send("5");
        await sleep(20);
        assert.equal((await get(sid)).status, 400, "polling is over");
        await assert.rejects(socket(`&transport=websocket&sid=${sid}`).opened, "a second WebSocket");
        ws.send("40");
        assert.match(await next(ws), /^40\{"sid":"/);
        ws.close();
    },
    async "a session whose WebSocket fails goes on polling"() {
        const sid = await begin();
        const ws = socket(`&transport=websocket&sid=${sid}`);
        await ws.opened;
        ws.send("4nothing that may come here");
        await ws.ended;
        assert.deepEqual(await post(sid, "40"), { status: 200, text: "ok" });
        assert.match((await get(sid)).text, /40\{"sid"/);
    },
    async "what waits while a session changes over comes in order"() {
        const sid = await begin();
        await post(sid, "40");
        while (!(await get(sid)).text.includes("auth")) await sleep(5);
        const ws = socket(`&transport=websocket&sid=${sid}`);
        await ws.opened;
        ws.send("2probe");
        await ws.next();
        for (const i of [1, 2, 3]) await post(sid, `42["message",${i}]`);
        await sleep(50);
        ws.send("5");
        for (const i of [1, 2, 3]) assert.equal(await next(ws), `42["message-back",${i}]`);
        ws.close();
    },
    // Socket.IO
    async "a client joins the main namespace, with and without credentials"() {
        for (const [auth, expected] of [["", "{}"], ['{"token":"123"}', '{"token":"123"}']]) {
            const ws = socket();
            await ws.next();
            ws.send(`40${auth}`);
            assert.match(await next(ws), /^40\{"sid":"[\w-]{22}"\}$/);
            assert.equal(await next(ws), `42["auth",${expected}]`);
            ws.close();
        }
    },
    async "a client joins another namespace, and not one that is not there"() {
        const ws = socket();
        await ws.next();
        ws.send("40/custom,");
        assert.match(await next(ws), /^40\/custom,\{"sid":"/);
        assert.equal(await next(ws), '42/custom,["auth",{}]');
        ws.send('40/random');
        assert.equal(await next(ws), '44/random,{"message":"Invalid namespace"}');
        ws.send('42/custom,["message","still here"]');
        assert.equal(await next(ws), '42/custom,["message-back","still here"]');
        ws.close();
    },
    async "who joins no namespace, or speaks before, is gone"() {
        for (const text of ["4abc", '42["message"]', "41", "44{}"]) {
            const ws = socket();
            await ws.next();
            ws.send(text);
            await ws.ended;
        }
    },
    async "events and answers, text and bytes"() {
        const ws = await joined();
        ws.send('42["message",1,"2",{"3":[true]}]');
        assert.equal(await next(ws), '42["message-back",1,"2",{"3":[true]}]');
        ws.send('42456["message-with-ack",1,"2"]');
        assert.equal(await next(ws), '43456[1,"2"]');
        const placeholders = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
        ws.send(`452-["message",${placeholders}]`);
        ws.send(Buffer.from([1, 2, 3]));
        ws.send(Buffer.from([4, 5, 6]));
        assert.equal(await next(ws), `452-["message-back",${placeholders}]`);
        assert.deepEqual([...(await next(ws))], [1, 2, 3]);
        assert.deepEqual([...(await next(ws))], [4, 5, 6]);
        ws.send('451-789["message-with-ack",{"_placeholder":true,"num":0}]');
        ws.send(Buffer.from([7]));
        assert.equal(await next(ws), '461-789[{"_placeholder":true,"num":0}]');
        assert.deepEqual([...(await next(ws))], [7]);
        ws.close();
    },
    async "a client leaves one namespace and stays in another"() {
        const ws = await joined();
        ws.send("40/custom,");
        await next(ws);
        await next(ws);
        ws.send("41");
        ws.send('42["message","nobody"]');
        ws.send('42/custom,["message","here"]');
        assert.equal(await next(ws), '42/custom,["message-back","here"]');
        ws.close();
    },
    async "what is no packet of Socket.IO ends the connection"() {
        const bad = ['4abc', '42{}', '42[]', '42[{}]', '42abc["message"]', '42["disconnect"]', '43["x"]', '431{}', "40", "40[]",
            "47", "451-", '4511-["x"]', '42[', '4299999999999999999999["x"]'];
        for (const text of bad) {
            const ws = await joined();
            ws.send(text);
            if (text === "451-") ws.send("2");
            await ws.ended;
        }
        const ws = await joined();
        ws.send(Buffer.from([1]));
        await ws.ended;
    },
    async "a client is gone without a word, and workers hear of it"() {
        const ws = socket();
        await ws.next();
        ws.send("40");
        const { sid } = JSON.parse((await next(ws)).slice(2));
        ws.terminate();
        for (;;) {
            const found = await hub.lPop("live.disconnect");
            if (found && JSON.parse(found).sid === sid) {
                assert.equal(JSON.parse(found).reason, "transport close");
                break;
            }
            await sleep(10);
        }
    },
});
