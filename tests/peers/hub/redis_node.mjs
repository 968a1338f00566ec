// ioredis and node-redis against the hub: pipelines, transactions, scripts, subscriptions, blocking pops, streams.

import assert from "node:assert";
import { peer, run } from "./cases.mjs";

const { Redis } = await peer("ioredis");
const { createClient } = await peer("redis");
const URL = process.env.REDIS_URL;

async function ioredis(work, options = {}) {
    const client = new Redis(URL, { maxRetriesPerRequest: 1, ...options });
    try {
        await work(client);
    } finally {
        client.disconnect();
    }
}

async function nodeRedis(work, options = {}) {
    const client = createClient({ url: URL, ...options });
    client.on("error", () => {});
    await client.connect();
    try {
        await work(client);
    } finally {
        client.destroy();
    }
}

await run({
    "ioredis: values, pipelines, transactions": () =>
        ioredis(async (redis) => {
            await redis.flushall();
            assert.equal(await redis.set("k", "v", "EX", 100), "OK");
            assert.deepEqual(await redis.pipeline().get("k").incr("n").nosuch?.() ?? (await redis.pipeline().get("k").incr("n").exec()), [[null, "v"], [null, 1]]);
            const results = await redis.multi().set("a", 1).incr("a").get("a").exec();
            assert.deepEqual(results, [[null, "OK"], [null, 2], [null, "2"]]);
            await redis.watch("a");
            await redis.duplicate().set("a", 9);
            assert.equal(await redis.multi().incr("a").exec(), null);
            await redis.hset("h", { x: 1, y: 2 });
            assert.deepEqual(await redis.hgetall("h"), { x: "1", y: "2" });
            await assert.rejects(redis.call("NOSUCH", "x"), /ERR unknown command 'NOSUCH', with args beginning with: 'x'/);
            assert.deepEqual(await redis.zadd("z", 1, "a", 2, "b"), 2);
            assert.deepEqual(await redis.zrange("z", 0, -1, "WITHSCORES"), ["a", "1", "b", "2"]);
            const names = [];
            for await (const found of redis.scanStream({ match: "*", count: 2 })) names.push(...found);
            assert.deepEqual([...new Set(names)].sort(), ["a", "h", "k", "n", "z"]);
        }),
    "ioredis: scripts and automatic pipelines": () =>
        ioredis(
            async (redis) => {
                await redis.flushall();
                redis.defineCommand("bump", { numberOfKeys: 1, lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])" });
                assert.equal(await redis.bump("n", 2), 2);
                await redis.script("FLUSH");
                assert.equal(await redis.bump("n", 2), 4);
                const all = await Promise.all(Array.from({ length: 100 }, () => redis.incr("m")));
                assert.deepEqual(all, Array.from({ length: 100 }, (_, index) => index + 1));
            },
            { enableAutoPipelining: true },
        ),
    "ioredis: subscriptions and blocking pops": () =>
        ioredis(async (redis) => {
            const listener = redis.duplicate();
            const heard = new Promise((resolve) => listener.on("message", (channel, text) => resolve([channel, text])));
            const matched = new Promise((resolve) => listener.on("pmessage", (...all) => resolve(all)));
            assert.equal(await listener.subscribe("news"), 1);
            assert.equal(await listener.psubscribe("w*"), 2);
            assert.equal(await redis.publish("news", "hello"), 1);
            assert.equal(await redis.publish("weather", "sun"), 1);
            assert.deepEqual(await heard, ["news", "hello"]);
            assert.deepEqual(await matched, ["w*", "weather", "sun"]);
            assert.equal(await listener.unsubscribe("news"), 1);
            listener.disconnect();
            const waiting = redis.duplicate();
            const popped = waiting.blpop("queue", 10);
            while (!(await redis.info("clients")).includes("blocked_clients:1")) await new Promise((go) => setTimeout(go, 5));
            await redis.rpush("queue", "job");
            assert.deepEqual(await popped, ["queue", "job"]);
            waiting.disconnect();
        }),
    "node-redis: RESP2": () => nodeRedis((client) => useNodeRedis(client)),
    "node-redis: RESP3": () => nodeRedis((client) => useNodeRedis(client), { RESP: 3 }),
});

async function useNodeRedis(client) {
    await client.flushAll();
    assert.equal(await client.set("k", "v", { EX: 100 }), "OK");
    assert.deepEqual(await Promise.all([client.get("k"), client.incr("n"), client.incr("n")]), ["v", 1, 2]);
    assert.deepEqual(await client.multi().set("a", "1").incr("a").exec(), ["OK", 2]);
    await client.hSet("h", { x: "1" });
    assert.equal((await client.hGetAll("h")).x, "1");
    await client.zAdd("z", [{ score: 1.5, value: "a" }]);
    assert.deepEqual(await client.zRangeWithScores("z", 0, -1), [{ value: "a", score: 1.5 }]);
    await client.xGroupCreate("s", "g", "0", { MKSTREAM: true });
    await client.xAdd("s", "*", { n: "1" });
    const read = await client.xReadGroup("g", "me", { key: "s", id: ">" }, { COUNT: 5 });
    assert.ok(JSON.stringify(read).includes('"n"'), JSON.stringify(read));
    const names = [];
    for await (const found of client.scanIterator()) names.push(...found);
    assert.deepEqual([...new Set(names)].sort(), ["a", "h", "k", "n", "s", "z"]);
    const listener = client.duplicate();
    await listener.connect();
    const heard = new Promise((resolve) => listener.subscribe("news", (text, channel) => resolve([channel, text])));
    while ((await client.publish("news", "hello")) === 0) await new Promise((go) => setTimeout(go, 5));
    assert.deepEqual(await heard, ["news", "hello"]);
    const matched = new Promise((resolve) => listener.pSubscribe("w*", (text, channel) => resolve([channel, text])));
    while ((await client.publish("weather", "sun")) === 0) await new Promise((go) => setTimeout(go, 5));
    assert.deepEqual(await matched, ["weather", "sun"]);
    const sharded = new Promise((resolve) => listener.sSubscribe("shard", (text, channel) => resolve([channel, text])));
    while ((await client.sPublish("shard", "x")) === 0) await new Promise((go) => setTimeout(go, 5));
    assert.deepEqual(await sharded, ["shard", "x"]);
    await listener.unsubscribe();
    listener.destroy();
    const waiting = client.duplicate();
    await waiting.connect();
    const popped = waiting.blPop("queue", 10);
    while (!(await client.info("clients")).includes("blocked_clients:1")) await new Promise((go) => setTimeout(go, 5));
    await client.rPush("queue", "job");
    assert.deepEqual({ ...(await popped) }, { key: "queue", element: "job" });
    waiting.destroy();
    await assert.rejects(client.sendCommand(["NOSUCH"]), /ERR unknown command 'NOSUCH'/);
}
